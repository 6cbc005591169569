//! The README.md of a model on the Hub: what it is, where it comes from, how to use it, with the
//! front matter that the Hub reads. It is made of the checkpoint and the run folder, which may be a
//! stranger's: every text of theirs goes through [`markdown`](crate::model::markdown).

use crate::failure::Result;
use crate::model::checkpoint::{Header, Model};
use crate::model::markdown::{code, target, words};
use crate::model::trained::Trained;
use deepbelief_data::Source;
use deepbelief_exchange::IMPORTED_FROM;
use deepbelief_finetune::Activation;
use deepbelief_hub::Address;
use serde_json::Value;
use std::fmt::Write as _;

/// What a card is made of.
pub(crate) struct Card<'a> {
    /// `user/repo`.
    pub(crate) repo: &'a str,
    pub(crate) license: Option<&'a str>,
    pub(crate) model: &'a Model,
    /// Names of the files that are pushed beside it.
    pub(crate) files: &'a [&'a str],
    /// The settings of the run.
    pub(crate) config: Option<&'a str>,
    /// What `dbn eval` measured, as it wrote it.
    pub(crate) evaluation: Option<&'a Value>,
}

/// What a config.toml of a training without another checkpoint says it is used by.
const TRAININGS: [&str; 4] = [
    "dbn pretrain --config",
    "dbn stack --config",
    "dbn tune --from-scratch --layers N,N --config",
    "dbn finetune --from-scratch --layers N,N --config",
];

/// One layer of the pass up, as a program without our crates computes it.
struct Step {
    weights: String,
    biases: String,
    /// Whether the weights are [out, in], as linear layers keep them.
    transposed: bool,
    activation: &'static str,
}

/// The README.md of a Space that shows the page of the model of the same name. The Hub links the two by `models`.
pub(crate) fn space_card(repo: &str, license: Option<&str>) -> String {
    let name = repo.rsplit('/').next().unwrap_or(repo);
    let license = license.map_or(String::new(), |license| format!("license: {license}\n"));
    // Quoted, for a name that YAML would read as a number.
    format!(
        "---\ntitle: \"{name}\"\nsdk: static\n{license}models:\n- {repo}\n---\n\nA page to try the model {} in. It \
         runs in the browser: what is drawn on it goes nowhere.\n",
        code(repo)
    )
}

impl Card<'_> {
    /// The text.
    pub(crate) fn write(&self) -> Result<String> {
        let steps = self.steps()?;
        let (title, tag) = self.kind();
        let mut text = self.front_matter(tag);
        let name = self.repo.rsplit('/').next().unwrap_or(self.repo);
        let _ = write!(text, "# {name}\n\n{title}, {}", self.sizes()?);
        let version = code(&self.model.provenance().crate_version);
        match self.imported() {
            None => {
                let _ = writeln!(text, ", trained with deepbelief {version}.\n");
                self.provenance(&mut text)?;
            }
            Some(sources) => {
                let _ = writeln!(text, ", imported with deepbelief {version}.\n\n## Where it comes from\n");
                for source in sources {
                    let of = |key: &str| code(source[key].as_str().unwrap_or("?"));
                    let (file, format, hash) = (of("file"), of("format"), of("sha256"));
                    let _ = writeln!(text, "- {file}, a model of {format}, SHA-256 {hash}");
                }
                text.push('\n');
            }
        }
        self.likelihood(&mut text);
        self.figures(&mut text);
        self.pictures(&mut text);
        self.usage(&mut text, &steps);
        Ok(text)
    }

    fn front_matter(&self, tag: &str) -> String {
        let mut text = String::from("---\nlibrary_name: deepbelief\n");
        if let Some(license) = self.license {
            let _ = writeln!(text, "license: {license}");
        }
        let _ = writeln!(text, "tags:\n- {tag}\n- candle\n- safetensors");
        if let Some(data) = self.dataset_on_hub() {
            let _ = writeln!(text, "datasets:\n- {data}");
        }
        text + "---\n\n"
    }

    /// The files of another program that it was read from, if it was.
    fn imported(&self) -> Option<&Vec<Value>> {
        self.model.provenance().recipe.get(IMPORTED_FROM)?.as_array()
    }

    /// The data set's name on the Hub, if it has one.
    fn dataset_on_hub(&self) -> Option<String> {
        match self.model.recorded::<Source>("data")? {
            Source::Mnist => Some("ylecun/mnist".into()),
            Source::Hub(address) => Some(address.parse::<Address>().ok()?.repo),
            _ => None,
        }
    }

    fn kind(&self) -> (&'static str, &'static str) {
        match self.model {
            Model::Belief(checkpoint) => match checkpoint.header {
                Header::Rbm(_) => ("A restricted Boltzmann machine", "restricted-boltzmann-machine"),
                Header::Dbn(_) => ("A deep belief net", "deep-belief-network"),
            },
            Model::Network(checkpoint) if checkpoint.header.kind == "mlp" => {
                ("A feed-forward classifier, unrolled from a deep belief net", "deep-belief-network")
            }
            Model::Network(_) => ("A deep autoencoder, unrolled from a deep belief net", "autoencoder"),
        }
    }

    fn sizes(&self) -> Result<String> {
        let (sizes, classes) = match self.model {
            Model::Belief(checkpoint) => (checkpoint.dbn.code_sizes()?, checkpoint.dbn.classes()),
            Model::Network(checkpoint) => (checkpoint.network.sizes(), 0),
        };
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        let labels = if classes > 0 { format!(" and {classes} labels at the top") } else { String::new() };
        Ok(format!("{} units{labels}", sizes.join("-")))
    }

    fn provenance(&self, text: &mut String) -> Result<()> {
        let provenance = self.model.provenance();
        let data =
            self.model.recorded::<Source>("data").map_or_else(|| provenance.dataset.clone(), |data| data.to_string());
        let test = provenance.test_sha256.as_ref();
        let test = test.map(|hash| format!("| SHA-256 of the test data | {} |\n", code(hash))).unwrap_or_default();
        let _ = write!(
            text,
            "## Where it comes from\n\n| | |\n|---|---|\n| data | {} |\n| SHA-256 of the training data | {} |\n\
             {test}| seed | {} |\n| epochs | {} |\n\n",
            code(&data),
            code(&provenance.dataset_sha256),
            provenance.seed,
            provenance.epochs
        );
        // The first line of the settings says how they are used again.
        let command = self.config.and_then(|config| config.lines().next()?.split('`').nth(1));
        // What was made of another checkpoint needs that too, which is not here; and a reader may run what
        // stands here.
        if let Some(command) = command.filter(|command| TRAININGS.contains(command)) {
            let _ = writeln!(
                text,
                "One seed fixes everything: with `config.toml`, which holds the settings,\n\n```\n{command} config.toml\n```\n\n\
                 trains this very model again, to the bit (networks trained by backpropagation: on the same kind of \
                 processor).\n"
            );
        } else {
            let recipe = serde_json::to_string_pretty(&provenance.recipe)?;
            let _ = writeln!(text, "The settings:\n\n```json\n{recipe}\n```\n");
        }
        Ok(())
    }

    fn figures(&self, text: &mut String) {
        let figures = &self.model.provenance().figures;
        if figures.is_empty() {
            return;
        }
        text.push_str("## Figures of the last epoch\n\nCosts, free energies and divergences in nats per sample; errors and activities as fractions.\n\n| figure | value |\n|---|---|\n");
        for (name, value) in figures {
            let _ = writeln!(text, "| {} | {value:.5} |", code(name));
        }
        text.push('\n');
    }

    /// How probable the model finds data, where it has been measured.
    fn likelihood(&self, text: &mut String) {
        let Some(evaluation) = self.evaluation else { return };
        let of = |key: &str| code(evaluation[key].as_str().unwrap_or("?"));
        let samples = evaluation["samples"].as_u64().unwrap_or_default();
        let _ = write!(
            text,
            "## Log-likelihood\n\nOf {samples} {} samples of {} (binarisation {}), nats per sample, by `dbn eval`. Low \
             and high are three standard errors of ln Z away.\n\n| | value | low | high |\n\
             |---|---|---|---|\n",
            of("split"),
            of("data"),
            of("binarize")
        );
        let names = [
            ("exact", "exactly"),
            ("of_filled", "with what was missing filled"),
            ("importance", "importance sampling"),
            ("both_ways", "annealing both ways"),
            ("ais", "AIS"),
            ("reverse_ais", "reverse AIS"),
            ("bound", "variational bound"),
        ];
        for (key, name) in names {
            let estimate = &evaluation["log_likelihood"][key];
            let figure = |part: &str| estimate[part].as_f64();
            if let Some(value) = figure("value") {
                let bound = |part: &str| figure(part).map_or("none".to_string(), |x| format!("{x:.2}"));
                let _ = writeln!(text, "| {name} | {value:.2} | {} | {} |", bound("low"), bound("high"));
            }
        }
        text.push('\n');
    }

    fn pictures(&self, text: &mut String) {
        let of_endings = |endings: &[&str]| -> Vec<&str> {
            let fits = |file: &&str| file.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending));
            self.files.iter().copied().filter(fits).collect()
        };
        let pages = of_endings(&["html"]);
        if !pages.is_empty() {
            text.push_str("## Pages\n\nDownload one and open it in a browser.\n\n");
            for page in pages {
                let _ = writeln!(text, "- [{}]({})", words(page), target(page));
            }
            text.push('\n');
        }
        let pictures = of_endings(&["png", "svg"]);
        if pictures.is_empty() {
            return;
        }
        text.push_str("## Pictures\n\n");
        for picture in pictures {
            let caption = words(picture.rsplit_once('.').map_or(picture, |(stem, _)| stem));
            let _ = writeln!(text, "![{caption}]({})\n", target(picture));
        }
    }

    /// The pass up.
    fn steps(&self) -> Result<Vec<Step>> {
        match self.model {
            Model::Belief(checkpoint) => {
                let top = match checkpoint.header {
                    Header::Rbm(_) => String::new(),
                    Header::Dbn(_) => "top.".into(),
                };
                let below = (0..checkpoint.dbn.depth() - 1).map(|layer| (format!("layers.{layer}."), "sigmoid"));
                let of_top = if checkpoint.dbn.top().layers().hidden.is_bernoulli() { "sigmoid" } else { "identity" };
                let step = |(place, activation)| Step {
                    weights: format!("{place}w_rec"),
                    biases: format!("{place}hb"),
                    transposed: false,
                    activation,
                };
                Ok(below.chain([(top, of_top)]).map(step).collect())
            }
            Model::Network(checkpoint) => {
                let names: Vec<String> =
                    checkpoint.network.named_tensors("")?.into_iter().map(|(name, _)| name).collect();
                let step = |(names, activation): (&[String], Activation)| Step {
                    weights: names[0].clone(),
                    biases: names[1].clone(),
                    transposed: true,
                    activation: match activation {
                        Activation::Sigmoid => "sigmoid",
                        Activation::Linear | Activation::Means => "identity",
                        Activation::Softmax => "softmax",
                    },
                };
                let activations = checkpoint.network.layers().iter().map(|layer| layer.activation);
                Ok(names.chunks_exact(2).zip(activations).map(step).collect())
            }
        }
    }

    fn usage(&self, text: &mut String, steps: &[Step]) {
        let repo = self.repo;
        let what = match self.model {
            Model::Belief(_) => "the probabilities of the hidden units at the top",
            Model::Network(checkpoint) if checkpoint.header.kind == "mlp" => "the probabilities of the labels",
            Model::Network(checkpoint) if checkpoint.network.visible_units().is_some() => {
                "the reconstruction: numbers, and logits of bits and levels"
            }
            Model::Network(_) => "the reconstruction",
        };
        let _ = write!(text, "## How to use it\n\nFrom the command line:\n\n```\ndbn show hf:{repo}\n");
        // Data of a file are on the machine that trained.
        let data = if self.dataset_on_hub().is_some() { "" } else { "--data npy:samples.npy " };
        let _ = writeln!(text, "dbn encode hf:{repo} {data}--out features.safetensors\n```\n");
        if let Model::Belief(checkpoint) = self.model {
            let (krate, model) = match checkpoint.header {
                Header::Rbm(_) => ("deepbelief_rbm", "Rbm"),
                Header::Dbn(_) => ("deepbelief_stack", "Dbn"),
            };
            let _ = writeln!(
                text,
                "In Rust (feature `hub`):\n\n```rust\nlet model = {krate}::{model}::from_pretrained(\"{repo}\")?;\n```\n"
            );
        }
        let layers = |indent: &str, open: &str, close: &str| {
            steps.iter().fold(String::new(), |mut lines, step| {
                let Step { weights, biases, activation, .. } = step;
                let _ = writeln!(lines, "{indent}{open}\"{weights}\", \"{biases}\", \"{activation}\"{close},");
                lines
            })
        };
        let transposed = steps.iter().any(|step| step.transposed);
        let _ = writeln!(
            text,
            "With candle alone; `v` is [samples, {visible}] with values from 0 to 1, the result {what}:\n\n```rust\n\
             use candle_core::{{Device, Result, Tensor, safetensors}};\n\
             use candle_nn::ops::{{sigmoid, softmax}};\n\n\
             fn up(v: &Tensor) -> Result<Tensor> {{\n    \
                 let file = safetensors::load(\"model.safetensors\", &Device::Cpu)?;\n    \
                 let layers = [\n{rust}    ];\n    \
                 let mut x = v.clone();\n    \
                 for (w, b, activation) in layers {{\n        \
                     let inputs = x.matmul(&file[w]{t})?.broadcast_add(&file[b])?;\n        \
                     x = match activation {{\n            \
                         \"sigmoid\" => sigmoid(&inputs)?,\n            \
                         \"softmax\" => softmax(&inputs, 1)?,\n            \
                         _ => inputs,\n        \
                     }};\n    \
                 }}\n    \
                 Ok(x)\n\
             }}\n```\n",
            visible = self.model.visible(),
            rust = layers("        ", "(", ")"),
            t = if transposed { ".t()?" } else { "" },
        );
        let _ = writeln!(
            text,
            "The same with torch:\n\n```python\n\
             import torch\n\
             from huggingface_hub import hf_hub_download\n\
             from safetensors.torch import load_file\n\n\
             file = load_file(hf_hub_download(\"{repo}\", \"model.safetensors\"))\n\
             layers = [\n{python}]\n\n\
             def up(v):\n    \
                 for w, b, activation in layers:\n        \
                     v = v @ file[w]{t} + file[b]\n        \
                     if activation == \"sigmoid\":\n            \
                         v = torch.sigmoid(v)\n        \
                     elif activation == \"softmax\":\n            \
                         v = torch.softmax(v, dim=1)\n    \
                 return v\n```",
            python = layers("    ", "(", ")"),
            t = if transposed { ".T" } else { "" },
        );
    }
}
