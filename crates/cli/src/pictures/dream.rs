//! What a net generates: chains of Gibbs steps in its top, shown as pixel probabilities after a
//! pass down.

use super::animation::Animation;
use super::dbn::Net;
use super::sheet::{Shades, Sheet};
use super::tiles::{ROW, tiles, values};
use crate::failure::{Failure, Result, count};
use candle_core::{Device, Tensor};
use deepbelief_rbm::{Shared, to_batch};
use deepbelief_stack::{Chains, Dbn};

/// Most tiles in one picture: a sheet of so many digits has some 40 million pixels.
const MOST_TILES: usize = 10_000;

/// Most labels in the picture of a training.
const MOST_LABELS: u32 = 20;

/// Steps between two looks at how far chains are.
const STEPS_AT_ONCE: u32 = 25;

/// What hears of Gibbs steps as they are made.
pub(crate) type Watch<'a> = &'a dyn Fn(u32);

/// Chains to run and show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dream {
    /// Labels to clamp; without any the label is as free as the rest.
    pub(crate) clamped: Vec<u32>,
    /// Chains for each label, or in all.
    pub(crate) count: usize,
    /// Gibbs steps before the first time the chains are shown.
    pub(crate) steps: u32,
    /// Gibbs steps from one time to the next.
    pub(crate) every: u32,
    /// Times the chains are shown.
    pub(crate) shown: usize,
    pub(crate) seed: u64,
    /// What the classes are called; numbers where they have no names.
    pub(crate) class_names: Vec<String>,
    /// The ranks that run the chains, all of which ask for the same.
    pub(crate) ranks: Shared,
    /// Penultimate states that chains start at, one row after the other; none: noise.
    pub(crate) start: Vec<f32>,
}

/// Chains as they are at one time.
pub(crate) struct Frame {
    pub(crate) step: u32,
    /// Pixel probabilities of each chain; of other than Bernoulli units their states.
    pub(crate) tiles: Vec<Vec<f32>>,
    /// Label of each chain; empty without a label group.
    pub(crate) labels: Vec<u32>,
}

impl Dream {
    /// What a training shows of its net: ten chains for each label after 1000 steps, or twenty
    /// without labels.
    pub(crate) fn of(dbn: &Dbn, seed: u64, class_names: &[String]) -> Self {
        let clamped: Vec<u32> = (0..(dbn.classes() as u32).min(MOST_LABELS)).collect();
        let count = if clamped.is_empty() { 2 * ROW } else { ROW };
        let (class_names, ranks, start) = (class_names.to_vec(), Shared::default(), Vec::new());
        Self { clamped, count, steps: 1000, every: 1000, shown: 1, seed, class_names, ranks, start }
    }

    /// What a training shows of its net, as a sheet.
    pub(crate) fn once(&self, net: Net<'_>) -> Result<Sheet> {
        let frame = self.frames(net.dbn, &|_| ())?.next().transpose()?;
        Ok(frame.map_or_else(Sheet::default, |frame| self.sheet(net, &frame, &format!(" {}", after(frame.step)))))
    }

    /// A picture. Chains shown once stand in a row for each label, or ten in a row; chains shown
    /// more often have a row each.
    pub(crate) fn png(&self, net: Net<'_>, watch: Watch<'_>) -> Result<Vec<u8>> {
        let chains = self.count * self.clamped.len().max(1);
        let (rows, columns) = (chains, self.shown);
        if rows * columns > MOST_TILES {
            return Err(Failure::new(format!(
                "{rows} chains shown {columns} times make {} tiles, more than the {MOST_TILES} that go into one picture",
                rows * columns
            ))
            .hint("ask for fewer with --count or --shown, or for an animation: a name that ends in .gif or .apng"));
        }
        let frames: Vec<Frame> = self.frames(net.dbn, watch)?.collect::<Result<_>>()?;
        match frames.as_slice() {
            [frame] => self.sheet(net, frame, &format!(" {}", after(frame.step))).png(),
            frames => self.history(net, frames).png(),
        }
    }

    /// An animation, a frame each time the chains are shown.
    pub(crate) fn animation(&self, net: Net<'_>, format: Animation, watch: Watch<'_>) -> Result<Vec<u8>> {
        // On a line of its own, so that all frames break their titles alike.
        let draw = |frame: Frame| self.sheet(net, &frame, &format!("\n{}", after(frame.step))).draw();
        format.encode(self.shown, self.frames(net.dbn, watch)?.map(|frame| frame.map(draw)))
    }

    /// Samples that chains may start at: one for each, evenly spread over those of `samples` that have its label, or over
    /// all where no label is clamped, or none has it.
    pub(crate) fn spread(&self, samples: usize, label: impl Fn(usize) -> Option<u32>) -> Vec<usize> {
        let spread = |of: &[usize]| -> Vec<usize> {
            (0..self.count).map(|chain| of[chain * of.len() / self.count % of.len()]).collect()
        };
        let all: Vec<usize> = (0..samples).collect();
        if self.clamped.is_empty() {
            return spread(&all);
        }
        let of_label = |&clamped: &u32| {
            let own: Vec<usize> = all.iter().copied().filter(|&sample| label(sample) == Some(clamped)).collect();
            spread(if own.is_empty() { &all } else { &own })
        };
        self.clamped.iter().flat_map(of_label).collect()
    }

    /// Gibbs steps in all.
    pub(crate) fn all_steps(&self) -> u64 {
        u64::from(self.steps) + u64::from(self.every) * (self.shown as u64).saturating_sub(1)
    }

    /// The chains, each time they are shown. `watch` hears of steps as they are made.
    pub(crate) fn frames<'a>(
        &self,
        dbn: &'a Dbn,
        watch: Watch<'a>,
    ) -> Result<impl Iterator<Item = Result<Frame>> + use<'a>> {
        let clamped: Vec<u32> = self.clamped.iter().flat_map(|&label| std::iter::repeat_n(label, self.count)).collect();
        let chains = if clamped.is_empty() { self.count } else { clamped.len() };
        let labels = (!clamped.is_empty()).then_some(clamped.as_slice());
        let mut chains = match self.start.as_slice() {
            [] => Chains::new(dbn, chains, labels, self.seed)?,
            start => {
                let start = Tensor::from_slice(start, (chains, dbn.top().visible()), &Device::Cpu)?;
                Chains::new(dbn, chains, labels, self.seed)?.starting_at(&start)?
            }
        }
        .among(&self.ranks);
        let (steps, every) = (self.steps, self.every);
        Ok((0..self.shown).map(move |time| {
            let mut left = if time == 0 { steps } else { every };
            while left > 0 {
                let part = left.min(STEPS_AT_ONCE);
                chains.advance(part)?;
                watch(part);
                left -= part;
            }
            let visible = dbn.visible_units();
            let shown = if visible.is_bernoulli() {
                values(&chains.show()?)?
            } else {
                // States, which may be numbers.
                let mut states = values(&chains.show_states()?)?;
                to_batch(visible, &mut states);
                states
            };
            let tiles = tiles(&shown, dbn.visible());
            Ok(Frame { step: chains.steps(), tiles, labels: chains.labels().to_vec() })
        }))
    }

    /// What a class is called.
    pub(crate) fn called(&self, label: u32) -> String {
        self.class_names.get(label as usize).cloned().unwrap_or_else(|| label.to_string())
    }

    /// What is shown, in a title.
    fn title(&self, net: Net<'_>, when: &str) -> String {
        let label = match (net.dbn.classes(), self.clamped.is_empty()) {
            (0, _) => "",
            (_, true) => ", the label below free to change,",
            (_, false) => " with the label clamped,",
        };
        let from = if self.start.is_empty() { "" } else { " from samples" };
        format!("{}: pixel probabilities of chains{from}{label}{when}", net.name())
    }

    /// One time: a row for each label, or rows of ten.
    fn sheet(&self, net: Net<'_>, frame: &Frame, when: &str) -> Sheet {
        let clamped = !self.clamped.is_empty();
        let columns = if clamped { self.count } else { self.count.min(ROW) };
        let captions = if clamped { Vec::new() } else { self.captions(&frame.labels, columns) };
        Sheet {
            title: self.title(net, when),
            row_labels: self.clamped.iter().map(|&label| format!("label {}", self.called(label))).collect(),
            rows: frame.tiles.chunks(columns).map(<[_]>::to_vec).collect(),
            captions,
            shape: net.tile_shape(),
            ..Sheet::default()
        }
    }

    /// The labels of tiles in rows of so many; none where there are no labels.
    fn captions(&self, labels: &[u32], columns: usize) -> Vec<Vec<String>> {
        labels.chunks(columns).map(|row| row.iter().map(|&label| self.called(label)).collect()).collect()
    }

    /// All times: a row for each chain, a column for each time.
    fn history(&self, net: Net<'_>, frames: &[Frame]) -> Sheet {
        let chains = frames.first().map_or(0, |frame| frame.tiles.len());
        let row = |chain: usize| frames.iter().map(|frame| frame.tiles[chain].clone()).collect();
        let label = |chain: usize| match self.clamped.get(chain / self.count) {
            Some(&label) => format!("label {}", self.called(label)),
            None => format!("chain {chain}"),
        };
        let caption = |chain: usize| -> Vec<String> {
            frames.iter().filter_map(|frame| frame.labels.get(chain)).map(|&label| self.called(label)).collect()
        };
        let free = self.clamped.is_empty() && net.dbn.classes() > 0;
        Sheet {
            title: self.title(net, " after so many Gibbs steps"),
            column_labels: frames.iter().map(|frame| frame.step.to_string()).collect(),
            row_labels: (0..chains).map(label).collect(),
            rows: (0..chains).map(row).collect(),
            shades: Shades::Grey,
            captions: if free { (0..chains).map(caption).collect() } else { Vec::new() },
            shape: net.tile_shape(),
        }
    }
}

fn after(steps: u32) -> String {
    format!("after {}", count(steps as usize, "Gibbs step"))
}

#[cfg(test)]
mod tests {
    use super::super::dbn::tests::{drawn, net};
    use super::*;

    fn dream(clamped: &[u32], count: usize, shown: usize) -> Dream {
        let (class_names, ranks, start) = Default::default();
        Dream { clamped: clamped.to_vec(), count, steps: 3, every: 2, shown, seed: 1, class_names, ranks, start }
    }

    fn size(png: &[u8]) -> (u32, u32) {
        let picture = image::load_from_memory(png).unwrap();
        (picture.width(), picture.height())
    }

    #[test]
    fn chains_are_shown_when_asked() {
        let dbn = net(&[4, 5], 3);
        let frames: Vec<Frame> = dream(&[2, 0], 3, 4).frames(&dbn, &|_| ()).unwrap().collect::<Result<_>>().unwrap();
        assert_eq!(frames.iter().map(|frame| frame.step).collect::<Vec<_>>(), [3, 5, 7, 9]);
        for frame in &frames {
            assert_eq!(frame.labels, [2, 2, 2, 0, 0, 0]);
            assert_eq!(frame.tiles.len(), 6);
        }
        assert_ne!(frames[0].tiles, frames[1].tiles);
    }

    /// Before the first step they are where they start.
    #[test]
    fn chains_start_where_they_are_asked_to() {
        let dbn = net(&[4], 3);
        let start: Vec<f32> = (0..2 * dbn.visible()).map(|unit| f32::from(u8::from(unit % 3 == 0))).collect();
        let dream = Dream { start: start.clone(), steps: 0, ..dream(&[1], 2, 1) };
        let frame = dream.frames(&dbn, &|_| ()).unwrap().next().unwrap().unwrap();
        assert_eq!(frame.tiles.concat(), start);
        assert_eq!(dream.spread(6, |sample| Some(sample as u32 % 2)), [1, 3]);
        assert_eq!(dream.spread(6, |_| None), [0, 3]);
        let short = Dream { start: start[1..].to_vec(), ..dream };
        assert!(short.frames(&dbn, &|_| ()).is_err());
    }

    #[test]
    fn pictures_depend_on_the_seed_alone() {
        let dbn = net(&[4, 5], 3);
        for dream in [dream(&[2, 0], 3, 1), dream(&[], 12, 1), dream(&[1], 2, 3), dream(&[], 2, 3)] {
            let one = dream.png(drawn(&dbn), &|_| ()).unwrap();
            assert_eq!(one, dream.png(drawn(&dbn), &|_| ()).unwrap());
            assert_ne!(one, Dream { seed: 2, ..dream }.png(drawn(&dbn), &|_| ()).unwrap());
        }
    }

    #[test]
    fn labels_make_rows_and_free_chains_have_their_label_below() {
        let (labelled, plain) = (net(&[4, 5], 3), net(&[4, 5], 0));
        let height = |dream: Dream, dbn: &Dbn| size(&dream.png(drawn(dbn), &|_| ()).unwrap()).1;
        assert!(height(dream(&[0, 1, 2], 2, 1), &labelled) > height(dream(&[0, 1], 2, 1), &labelled));
        let (free, without) = (height(dream(&[], 2, 1), &labelled), height(dream(&[], 2, 1), &plain));
        assert!(free > without, "{free} pixels with a caption, {without} without");
        assert_eq!(Dream::of(&labelled, 1, &[]).clamped, [0, 1, 2]);
        assert!(Dream::of(&plain, 1, &[]).clamped.is_empty());
    }

    #[test]
    fn too_many_tiles_are_refused_with_a_way_out() {
        let dbn = net(&[4], 0);
        let refused = dream(&[], 100, 101).png(drawn(&dbn), &|_| ()).unwrap_err();
        assert!(refused.what().contains("10100 tiles"), "{}", refused.what());
        assert!(refused.hint_text().unwrap().contains(".gif"));
    }

    /// A GIF has an index of the palette a pixel and the palette is the greys: what is decoded
    /// must be what was drawn. The title must not move the tiles when the count of steps grows.
    #[test]
    fn animations_hold_the_frames_that_were_drawn() {
        let dbn = net(&[4, 5], 3);
        let dream = Dream { steps: 9, every: 995, ..dream(&[0, 2], 3, 3) };
        let frames = dream.frames(&dbn, &|_| ()).unwrap();
        let draw = |frame: Frame| dream.sheet(drawn(&dbn), &frame, &format!("\n{}", after(frame.step))).draw();
        let drawn_frames: Vec<_> = frames.map(|frame| draw(frame.unwrap())).collect();

        let file = dream.animation(drawn(&dbn), Animation::Gif, &|_| ()).unwrap();
        let mut decoder = gif::Decoder::new(&file[..]).unwrap();
        for canvas in &drawn_frames {
            let frame = decoder.read_next_frame().unwrap().expect("a frame for each time").clone();
            assert_eq!((usize::from(frame.width), usize::from(frame.height)), (canvas.width(), canvas.height()));
            assert_eq!(frame.buffer[..], canvas.greys());
        }
        assert!(decoder.read_next_frame().unwrap().is_none());
        assert!(decoder.global_palette().unwrap().chunks(3).enumerate().all(|(i, rgb)| rgb == [i as u8; 3]));

        let file = dream.animation(drawn(&dbn), Animation::Apng, &|_| ()).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        assert_eq!(reader.info().animation_control().unwrap().num_frames, 3);
        for canvas in &drawn_frames {
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            assert_eq!(pixels, canvas.greys());
        }
    }
}
