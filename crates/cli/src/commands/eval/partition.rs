//! ln Z of the top: exactly where that can be computed, else from both sides.

use super::report::{Estimate, Found, Memory};
use super::training::Training;
use crate::args::{EvalArgs, PathName, SpacingName};
use crate::failure::{Result, count};
use crate::machine::ranks;
use crate::report::{Report, thousands};
use candle_core::Device;
use deepbelief_rbm::likelihood::{
    APART, AnnealConfig, BothSides, BothWays, FEWEST_EFFECTIVE, LogZ, LogZConfig, PathKind, Verdict, Watch,
    is_summable, log_partition,
};
use deepbelief_stack::Dbn;
use std::sync::Arc;

/// Correlation with their start that chains may keep before a warning: a hundred chains leave some
/// hundredths by chance.
const REMEMBERED: f64 = 0.2;

/// Whether the states of the smaller side are summed over.
pub(super) fn is_exact(dbn: &Dbn, args: &EvalArgs) -> bool {
    !args.estimate && is_summable(dbn.top())
}

/// ln Z, and what is known of the chains that it rests on.
pub(super) fn log_z(
    dbn: &Dbn,
    training: &Training,
    args: &EvalArgs,
    device: &Device,
    report: &Report,
) -> Result<(Found, Option<Memory>)> {
    let top = dbn.top();
    let exact = is_exact(dbn, args);
    let top = if exact { top } else { &top.to_device(device)? };
    let mut config = LogZConfig {
        annealing: AnnealConfig {
            chains: args.chains as usize,
            burn_in: args.burn_in,
            seed: args.seed,
            threads: ranks::threads(args.machine.threads as usize),
            ranks: ranks::shared(),
            ..AnnealConfig::default()
        },
        temperatures: args.temperatures as usize,
        adaptive: args.spacing == SpacingName::Adaptive,
        path: match args.path {
            PathName::Visible => PathKind::Visible,
            PathName::Independent => PathKind::Independent,
            PathName::Matched => PathKind::Matched,
        },
        estimate: args.estimate,
    };
    let work = Arc::new(report.work("annealing", if exact { 0 } else { config.steps() }));
    if exact {
        let smaller = top.visible().min(top.hidden());
        tracing::info!("summing over the states of {}, exactly", count(smaller, "unit"));
    } else {
        let watched = Arc::clone(&work);
        config.annealing.watch = Watch::new(move || watched.did(1));
        let (chains, temperatures) = (count(config.annealing.chains, "chain"), thousands(config.temperatures));
        tracing::info!("annealing {chains} over {temperatures} temperatures, both ways");
    }
    let (states, labels) = training.all();
    let found = log_partition(top, states, labels, &config)?;
    work.done();
    let BothSides { both, forward, reverse, mixing } = match found {
        LogZ::Exact(exact) => return Ok((Found { exact: Some(exact), ..Found::default() }, None)),
        LogZ::Estimated(sides) => *sides,
    };
    let memory = mixing.map(|mixing| Memory { half_life: mixing.half_life(), left: mixing.left() });
    warn_of(&both, forward.value - reverse.value, memory, args);
    let log_z = Found {
        exact: None,
        both_ways: Some(Estimate::of(&both.log_z)),
        ais: Some(Estimate::of(&forward)),
        reverse_ais: Some(Estimate::of(&reverse)),
        verdict: Some(both.verdict),
        furthest: both.furthest,
    };
    Ok((log_z, memory))
}

/// Says where the estimates cannot be trusted. `contradiction` is how far the reverse estimate of ln Z is below
/// the forward one.
fn warn_of(both: &BothWays, contradiction: f64, memory: Option<Memory>, args: &EvalArgs) {
    if let Some(Memory { left, .. }) = memory.filter(|memory| memory.left > REMEMBERED) {
        tracing::warn!(
            "after {} Gibbs steps the chains still resemble the samples they started from (correlation {left:.2}): \
             the model mixes slowly, and the reverse estimate holds only as far as the samples are like the model; \
             try a longer --burn-in",
            thousands(args.burn_in as usize)
        );
    }
    let other_path = if args.path == PathName::Independent { "another --path" } else { "--path independent" };
    match both.verdict {
        Verdict::Phases(end) => tracing::warn!(
            "at β = {:.0} the chains of the two directions sit in different phases, {:.1} standard deviations apart: \
             no interval holds; try more --temperatures, {other_path}, or a longer --burn-in",
            end.beta,
            end.deviations
        ),
        Verdict::MissedModes => tracing::warn!(
            "the reverse estimate of ln Z is {contradiction:.1} nats below the forward one: chains from the training \
             samples miss modes of the model, and only the forward estimate (AIS) stands; try a longer --burn-in"
        ),
        Verdict::FewChains => tracing::warn!(
            "fewer than {FEWEST_EFFECTIVE} chains carry the estimate of one direction: it has no interval; try more \
             --temperatures, more --chains, or {other_path}"
        ),
        Verdict::Apart => tracing::warn!(
            "the two directions differ by {:.2} nats, which is more than their standard errors allow: no interval \
             holds; try more --temperatures, more --chains, or {other_path}",
            contradiction.abs()
        ),
        Verdict::UnseenModes(nats) => tracing::warn!(
            "chains that know nothing of the training samples find an ln Z that is {nats:.1} nats larger: the model has \
             modes that these samples do not show, and every likelihood here is too high by that much or more; give \
             training samples of all its modes"
        ),
        Verdict::Sound => {
            if let Some(furthest) = both.furthest.filter(|furthest| furthest.deviations > APART) {
                tracing::warn!(
                    "near β = {:.3} the chains of the two directions are {:.1} standard deviations apart: the states \
                     leap there, and errors may be larger than the interval; try more --temperatures, or {other_path}",
                    furthest.beta,
                    furthest.deviations
                );
            }
        }
    }
}
