//! What units do with the inputs that arrive, whatever they are: the kind is looked at once a call.
//!
//! Rows are samples, their 32 lanes neighbouring units. Inputs come without the field b. Spins are Bernoulli units by
//! the time they get here, and categorical units have tiles of their own (`categorical.rs`).

use crate::rng::Uniforms;
use crate::row::Row;
use crate::simd::dispatch;
use crate::units::bernoulli::Bernoulli;
use crate::units::drelu::Drelu;
pub(crate) use crate::units::fields::{FieldRow, Moments};
use crate::units::gaussian::Gaussian;
use crate::units::layers::UnitKind;
use crate::units::relu::Relu;
use crate::units::unit::Unit;

/// Does something with the units of a kind that have these fields.
macro_rules! with_units {
    ($kind:ident, $fields:ident, $units:ident => $do:expr) => {
        match $kind {
            UnitKind::Bernoulli => with_units!(Bernoulli, $fields, $units, $do),
            UnitKind::Gaussian => with_units!(Gaussian, $fields, $units, $do),
            UnitKind::Relu => with_units!(Relu, $fields, $units, $do),
            UnitKind::Drelu => with_units!(Drelu, $fields, $units, $do),
            UnitKind::Spin | UnitKind::Categorical => unreachable!("{} units do not come in rows of samples", $kind),
        }
    };
    ($type:ident, $fields:ident, $units:ident, $do:expr) => {{
        let $units = $type::new($fields);
        $do
    }};
}

#[inline(always)]
fn map<I, O>(inputs: &[I], out: &mut [O], with: impl Fn(&I) -> O) {
    for (input, out) in inputs.iter().zip(out) {
        *out = with(input);
    }
}

dispatch! {
    /// `out = E[h | x]`.
    pub(crate) fn means(kind: UnitKind, x: &[Row], f: &FieldRow, out: &mut [Row]) {
        with_units!(kind, f, units => map(x, out, #[inline(always)] |x| units.mean(x)));
    }
}

dispatch! {
    /// `E[h | x]` and states, sample s drawn with the uniforms of row `first + s`, one a unit.
    pub(crate) fn means_and_states(
        kind: UnitKind, x: &[Row], f: &FieldRow, draw: Uniforms, first: usize, block: usize, means: &mut [Row],
        states: &mut [Row],
    ) {
        with_units!(kind, f, units => draw.rows(first, block, x.len(), #[inline(always)] |s, u| {
            (means[s], states[s]) = units.mean_and_state(&x[s], u);
        }));
    }
}

dispatch! {
    /// The states of [`means_and_states`] alone.
    pub(crate) fn states(
        kind: UnitKind, x: &[Row], f: &FieldRow, draw: Uniforms, first: usize, block: usize, states: &mut [Row],
    ) {
        with_units!(kind, f, units => draw.rows(first, block, x.len(), #[inline(always)] |s, u| {
            states[s] = units.mean_and_state(&x[s], u).1;
        }));
    }
}

dispatch! {
    /// `out = ln of the integral of exp(x h - U(h))` over the values of a unit, a sum where it is discrete.
    pub(crate) fn cgfs(kind: UnitKind, x: &[Row], f: &FieldRow, out: &mut [Row]) {
        with_units!(kind, f, units => map(x, out, #[inline(always)] |x| units.cgf(x)));
    }
}

dispatch! {
    /// `out = U(h)` of given states.
    pub(crate) fn energies(kind: UnitKind, states: &[Row], f: &FieldRow, out: &mut [Row]) {
        with_units!(kind, f, units => map(states, out, #[inline(always)] |h| units.energy(h)));
    }
}

dispatch! {
    /// The sufficient statistics that are expected given x.
    pub(crate) fn expected(kind: UnitKind, x: &[Row], f: &FieldRow, out: &mut [Moments]) {
        with_units!(kind, f, units => map(x, out, #[inline(always)] |x| units.expected(x)));
    }
}

dispatch! {
    /// The sufficient statistics of given states.
    pub(crate) fn observed(kind: UnitKind, states: &[Row], f: &FieldRow, out: &mut [Moments]) {
        with_units!(kind, f, units => map(states, out, #[inline(always)] |h| units.observed(h)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use crate::row::{BLOCK, ZERO};
    use crate::simd::Level;
    use crate::units::fields::NO_MOMENTS;
    use crate::units::reference::field_row;
    use crate::units::{bernoulli, fields};

    const KINDS: [UnitKind; 4] = [UnitKind::Bernoulli, UnitKind::Gaussian, UnitKind::Relu, UnitKind::Drelu];

    /// Nineteen samples with inputs from -40 to 40, and fields that differ from lane to lane.
    fn some() -> (Vec<Row>, FieldRow, Uniforms) {
        let u = Uniforms::new(8, Stream::User, 0);
        let signed = |row, size: f32| fields::each(|i| size * (2.0 * u.at(row, i as u32) - 1.0));
        let precision = |row| fields::each(|i| 0.05 + 3.0 * u.at(row, i as u32).powi(3));
        let x = (0..19).map(|s| signed(s, if s % 2 == 0 { 4.0 } else { 40.0 })).collect();
        let f = FieldRow { b: signed(100, 2.0), g: precision(101), b_below: signed(102, 2.0), g_below: precision(103) };
        (x, f, Uniforms::new(8, Stream::Hidden, 3))
    }

    struct All {
        means: Vec<Row>,
        states: Vec<Row>,
        rows: [Vec<Row>; 4],
        moments: [Vec<Moments>; 2],
    }

    fn all(level: Level, kind: UnitKind, x: &[Row], f: &FieldRow, draw: Uniforms) -> All {
        let rows = || vec![ZERO; x.len()];
        let (mut both, mut means_alone, mut states_alone, mut integrals, mut energy) =
            ((rows(), rows()), rows(), rows(), rows(), rows());
        let (mut likely, mut seen) = (vec![NO_MOMENTS; x.len()], vec![NO_MOMENTS; x.len()]);
        means_and_states(level, kind, x, f, draw, 7, 2, &mut both.0, &mut both.1);
        means(level, kind, x, f, &mut means_alone);
        states(level, kind, x, f, draw, 7, 2, &mut states_alone);
        cgfs(level, kind, x, f, &mut integrals);
        energies(level, kind, &both.1, f, &mut energy);
        expected(level, kind, x, f, &mut likely);
        observed(level, kind, &both.1, f, &mut seen);
        let rows = [means_alone, states_alone, integrals, energy];
        All { means: both.0, states: both.1, rows, moments: [likely, seen] }
    }

    #[test]
    fn all_levels_and_all_ways_give_the_same_bits() {
        let (x, f, draw) = some();
        for kind in KINDS {
            let portable = all(Level::portable(), kind, &x, &f, draw);
            assert!(portable.means == portable.rows[0] && portable.states == portable.rows[1], "{kind}");
            for level in Level::available() {
                let other = all(level, kind, &x, &f, draw);
                assert!(other.means == portable.means && other.states == portable.states, "{kind}, {}", level.name());
                assert!(other.rows == portable.rows && other.moments == portable.moments, "{kind}, {}", level.name());
            }
        }
    }

    #[test]
    fn states_of_bernoulli_units_are_those_of_packed_ones() {
        let (x, f, draw) = some();
        let got = all(Level::detect(), UnitKind::Bernoulli, &x, &f, draw);
        let (mut p, mut words) = (vec![ZERO; x.len()], vec![0; x.len()]);
        bernoulli::probabilities_and_states(Level::detect(), &x, &f.b, draw, 7, 2, &mut p, &mut words);
        assert_eq!(got.means, p);
        for (states, word) in got.states.iter().zip(words) {
            assert_eq!(*states, fields::each(|i| (word >> i & 1) as f32));
        }
    }

    /// E(h) = -b h + g h²/2 of what is above 0 and of what is below: its derivatives are minus the moments.
    #[test]
    fn energies_are_minus_the_fields_times_the_moments() {
        let (x, f, draw) = some();
        for kind in KINDS {
            let got = all(Level::detect(), kind, &x, &f, draw);
            for (s, moments) in got.moments[1].iter().enumerate() {
                for i in 0..BLOCK {
                    let energy = -f.b.0[i] * moments.b.0[i]
                        - moments.log_g.0[i]
                        - f.b_below.0[i] * moments.b_below.0[i]
                        - moments.log_g_below.0[i];
                    let size = 1.0 + moments.log_g.0[i].abs() + moments.log_g_below.0[i].abs();
                    assert!((energy - got.rows[3][s].0[i]).abs() < 2e-6 * size, "{kind}: {energy}");
                }
            }
        }
    }

    #[test]
    fn extremes_stay_finite() {
        let inputs =
            [0.0, 1e-30, 3.0, -3.0, 1e4, -1e4, 1e30, -1e30, f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY];
        let x: Vec<Row> = inputs.iter().map(|&x| Row([x; BLOCK])).collect();
        let draw = Uniforms::new(1, Stream::User, 9);
        for kind in KINDS {
            for field in [0.0, 1e30, -1e30] {
                for g in [0.0, 1e-30, 1e-3, 1.0, 1e4, 1e30] {
                    let f = field_row([field, g, -field, 1.0 / (g + 1e-30)]);
                    let got = all(Level::detect(), kind, &x, &f, draw);
                    let rows =
                        got.rows.iter().enumerate().flat_map(|(what, rows)| rows.iter().map(move |row| (what, row)));
                    for (what, row) in rows {
                        // Softplus of infinity is infinity.
                        let fine = |x: f32| x.is_finite() || kind == UnitKind::Bernoulli && what == 2 && x > 0.0;
                        assert!(row.0.iter().all(|&x| fine(x)), "{kind}, b {field}, g {g}: {what} {:?}", &row.0[..2]);
                    }
                    for moments in got.moments.iter().flatten() {
                        for row in [moments.b, moments.log_g, moments.b_below, moments.log_g_below] {
                            assert!(row.0.iter().all(|x| x.is_finite()), "{kind}, b {field}, g {g}: {row:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let x = [Row([f32::NAN; BLOCK])];
        for kind in [UnitKind::Gaussian, UnitKind::Relu, UnitKind::Drelu] {
            let got =
                all(Level::detect(), kind, &x, &field_row([0.0, 1.0, 0.0, 1.0]), Uniforms::new(1, Stream::User, 9));
            for rows in &got.rows[..3] {
                assert!(rows[0].0.iter().all(|x| x.is_nan()), "{kind}: {:?}", &rows[0].0[..2]);
            }
        }
    }

    /// `cargo test --release -p deepbelief-kernels speed -- --ignored --nocapture`
    #[test]
    #[ignore = "measures, and asserts nothing"]
    #[expect(clippy::print_stderr, reason = "what it measures is for reading")]
    fn speed_of_means_and_states() {
        const SAMPLES: usize = 256;
        let (some, f, draw) = some();
        let x: Vec<Row> = some.iter().step_by(2).copied().cycle().take(SAMPLES).collect();
        let (mut p, mut h) = (vec![ZERO; SAMPLES], vec![ZERO; SAMPLES]);
        for level in Level::available() {
            for kind in KINDS {
                let mut fastest = f64::INFINITY;
                for step in 0..400 {
                    let start = std::time::Instant::now();
                    means_and_states(level, kind, &x, &f, draw, step, 2, &mut p, &mut h);
                    fastest = fastest.min(start.elapsed().as_secs_f64());
                }
                let units = (SAMPLES * BLOCK) as f64;
                eprintln!("{:8} {kind:9} {:6.2} ns a unit", level.name(), 1e9 * fastest / units);
            }
        }
    }
}
