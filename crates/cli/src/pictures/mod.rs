//! Pictures of a model: its filters, what it makes of data, what it dreams, how it learned.
//!
//! All draws come from the picture stream, so that looking at a model changes nothing.

mod animation;
mod contact_map;
mod curves;
mod dbn;
mod drawing;
mod dream;
mod gallery;
mod glyph;
mod graphs;
mod heat_map;
mod logos;
mod network;
mod paint;
mod panel;
mod panels;
mod rbm;
mod sheet;
mod shown;
mod terminal;
mod tiles;

pub(crate) use animation::Animation;
pub(crate) use contact_map::ContactMap;
pub(crate) use curves::draw_curves;
pub(crate) use dbn::{Net, net_name, projected};
pub(crate) use dream::{Dream, Watch};
pub(crate) use gallery::{Crowd, Gallery};
pub(crate) use graphs::graphs;
pub(crate) use heat_map::HeatMap;
pub(crate) use logos::{Logos, UnitLogo};
pub(crate) use network::{autoencoded, network_name};
pub(crate) use panels::Panels;
pub(crate) use rbm::{Subject, fantasies, filters, name, reconstructions};
pub(crate) use sheet::Sheet;
pub(crate) use shown::Shown;
pub(crate) use terminal::{FILTERS, Form, Screen};
pub(crate) use tiles::{ROW, shape_of, showcase, tiles, values};
