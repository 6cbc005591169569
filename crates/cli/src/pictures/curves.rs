//! How a training went, as a picture: cost, log-likelihood, free-energy gap, hidden activity or spread and label error
//! by epoch.

use crate::failure::{Explain, Result};
use crate::run::folder::RunFolder;
use deepbelief_report::Traces;
use deepbelief_report::chart::{Panel, Tier, curves, panels};

/// Draws the curves into the folder of their run, as `{name}.svg` and `{name}.png`; nothing where nothing was measured.
pub(crate) fn draw_curves(folder: &RunFolder, name: &str, title: &str, traces: &Traces) -> Result<()> {
    let first: Vec<Panel> = panels(traces).into_iter().filter(|panel| panel.tier == Tier::First).collect();
    let Some(drawn) = curves(title, &first) else { return Ok(()) };
    folder.write(&format!("{name}.svg"), &drawn.svg)?;
    folder.write(&format!("{name}.png"), &drawn.pixels.png().or_fail(|| "cannot draw the curves".into())?)
}

#[cfg(test)]
mod tests {
    use crate::run::measured::{Drift, Epoch, FinetuneEpoch, Measured, TuneEpoch};
    use deepbelief_report::Traces;
    use deepbelief_report::chart::{Tier, panels};

    /// Lines find their figures by name: all figures that a checkpoint records are drawn.
    #[test]
    fn every_figure_has_its_line() {
        let rbm = Epoch {
            layer: 0,
            number: 1,
            reconstruction_cost: 60.0,
            reconstruction_cost_valid: Some(62.0),
            free_energy_train: -100.0,
            free_energy_valid: Some(-99.0),
            free_energy_gap: Some(1.0),
            hidden_activity: Some(0.2),
            hidden_spread: Some(0.3),
            label_error_train: Some(0.1),
            label_error_valid: Some(0.2),
            log_likelihood_train: Some(-90.0),
            log_likelihood_valid: Some(-91.0),
            pseudo_likelihood_train: Some(-60.0),
            pseudo_likelihood_valid: Some(-61.0),
        };
        let tuned = TuneEpoch {
            number: 0,
            variational_cost: 1.0,
            variational_cost_valid: Some(2.0),
            free_energy_gap: Some(3.0),
            label_error_train: Some(4.0),
            label_error_valid: Some(5.0),
            layers: vec![Drift { divergence: 0.1 }, Drift { divergence: 0.2 }],
        };
        let network = FinetuneEpoch {
            number: 0,
            training_cost: Some(1.0),
            cost: 2.0,
            cost_valid: Some(3.0),
            label_error_train: Some(4.0),
            label_error_valid: Some(5.0),
            squared_error_train: Some(6.0),
            squared_error_valid: Some(7.0),
        };
        for figures in [rbm.figures(), tuned.figures(), network.figures()] {
            let (mut traces, named) = (Traces::default(), figures.len());
            traces.add(1, figures);
            let lines: usize = panels(&traces).iter().map(|panel| panel.lines.len()).sum();
            assert_eq!(lines, named);
        }
        let mut traces = Traces::default();
        traces.add(1, [("reconstruction_cost".to_string(), 1.0)].into());
        assert!(panels(&traces).iter().all(|panel| panel.tier == Tier::First));
    }
}
