//! Zstandard: one frame behind another.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result};

use ruzstd::decoding::StreamingDecoder;

type Frame<R> = StreamingDecoder<BufReader<R>, ruzstd::decoding::FrameDecoder>;

/// The content of all frames of a stream.
pub(crate) struct Frames<R: Read>(State<R>);

enum State<R: Read> {
    /// Before a frame, or at the end.
    Between(BufReader<R>),
    Within(Box<Frame<R>>),
    /// After an error, for good.
    Broken,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(from: R) -> Self {
        Self(State::Between(BufReader::new(from)))
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        loop {
            match std::mem::replace(&mut self.0, State::Broken) {
                State::Broken => return Err(Error::new(ErrorKind::InvalidData, "the zstd stream is damaged")),
                State::Between(mut from) => {
                    if from.fill_buf()?.is_empty() {
                        self.0 = State::Between(from);
                        return Ok(0);
                    }
                    let frame = StreamingDecoder::new(from);
                    self.0 = State::Within(Box::new(frame.map_err(|error| Error::new(ErrorKind::InvalidData, error))?));
                }
                State::Within(mut frame) => {
                    let got = frame.read(into)?;
                    let ended = got == 0 && !into.is_empty();
                    self.0 = if ended { State::Between(frame.into_inner()) } else { State::Within(frame) };
                    if !ended {
                        return Ok(got);
                    }
                }
            }
        }
    }
}
