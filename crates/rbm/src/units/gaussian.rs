//! Gaussian units, real: `U(x) = g x²/2 - b x`, `cgf(I) = (b + I)²/2g + ½ ln(2 pi/g)`, mean `(b + I)/g`, variance `1/g`.

use super::run::{Run, UnitFields};
use super::special::{above, middle};
use crate::model::sampled::Sampled;
use candle_core::{Result, Tensor, bail};
use deepbelief_kernels::Uniforms;

pub(super) fn energy(run: &Run, states: &Tensor) -> Result<Tensor> {
    (states.sqr()?.broadcast_mul(&run.g()?)? * 0.5)? - states.broadcast_mul(&run.b)?
}

pub(super) fn cgf(run: &Run, input: &Tensor) -> Result<Tensor> {
    let g = run.g()?;
    let squares = input.broadcast_add(&run.b)?.sqr()?.broadcast_div(&(&g * 2.0)?)?;
    squares.broadcast_add(&((g.log()? * -0.5)? + 0.5 * libm::log(std::f64::consts::TAU))?)
}

pub(super) fn mean(run: &Run, input: &Tensor) -> Result<Tensor> {
    input.broadcast_add(&run.b)?.broadcast_div(&run.g()?)
}

pub(super) fn variance(run: &Run, input: &Tensor) -> Result<Tensor> {
    input.zeros_like()?.broadcast_add(&run.g()?.recip()?)
}

/// `E[-g x²/2 | I]`.
pub(super) fn expected_square(f: &UnitFields, input: f64) -> f64 {
    let t = f.b + input;
    -0.5 - 0.5 * t * t / f.g
}

/// The quantile of a uniform number.
pub(super) fn draw(f: &UnitFields, input: f64, u: f64) -> f64 {
    // Of the nearer half, so that no digits are lost.
    let u = middle(u);
    let z = if u < 0.5 { -above(libm::log(u), f64::MIN) } else { above(libm::log1p(-u), f64::MIN) };
    (f.b + input) / f.g + z / f.g.sqrt()
}

/// Units with these means and ln g, drawn by pairs of uniform numbers (Box & Muller 1958).
pub(super) fn draw_pairs(probabilities: Tensor, log_g: Option<&Tensor>, draw: Uniforms) -> Result<Sampled> {
    let noise = normals(&probabilities, draw)?;
    let noise = match log_g {
        Some(log_g) => noise.broadcast_mul(&(log_g * -0.5)?.exp()?)?,
        None => noise,
    };
    let states = (&probabilities + noise)?;
    Ok(Sampled { probabilities, states })
}

/// Independent N(0, 1) numbers in the shape, in the type and on the device of `like` [B, H].
pub(crate) fn normals(like: &Tensor, draw: Uniforms) -> Result<Tensor> {
    let [rows, units] = *like.dims() else { bail!("expected [B, H], got {:?}", like.dims()) };
    let mut values = vec![0.0; rows * units];
    draw.normal(1.0, units, &mut values);
    Tensor::from_vec(values, (rows, units), like.device())?.to_dtype(like.dtype())
}
