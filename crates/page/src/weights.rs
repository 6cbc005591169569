//! Weights as a page holds them: tensors one after the other, deflated.
//!
//! Weights are float16 numbers, of which all low bytes stand before all high ones: the high bytes are signs and
//! exponents, which repeat, and become a quarter smaller. Biases stay F32, as they are few. `assets/engine/weights.js` reads them.

use crate::error::{Error, Result};
use candle_core::{DType, Tensor};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use half::f16;
use serde::Serialize;
use std::io::Write;

/// A tensor of a page.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    name: String,
    shape: Vec<usize>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// Tensors in the order in which they lie.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    /// What they are.
    pub(crate) listed: Vec<Listed>,
    bytes: Vec<u8>,
}

impl Weights {
    /// Adds weights as float16 numbers.
    pub(crate) fn half(&mut self, name: String, tensor: &Tensor) -> Result<()> {
        let values = values(tensor)?;
        let halves: Vec<u16> = values.iter().map(|&value| f16::from_f32(value).to_bits()).collect();
        if let Some(at) = halves.iter().position(|&bits| !f16::from_bits(bits).is_finite()) {
            return Err(Error::Range { tensor: name, value: values[at] });
        }
        self.bytes.extend(halves.iter().map(|bits| bits.to_le_bytes()[0]));
        self.bytes.extend(halves.iter().map(|bits| bits.to_le_bytes()[1]));
        self.listed.push(Listed { name, shape: tensor.dims().to_vec(), kind: "f16" });
        Ok(())
    }

    /// Numbers in all tensors.
    pub(crate) fn count(&self) -> usize {
        self.listed.iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum()
    }

    /// Adds biases as F32 numbers.
    pub(crate) fn full(&mut self, name: String, tensor: &Tensor) -> Result<()> {
        let values = values(tensor)?;
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(Error::Range { tensor: name, value });
        }
        self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self.listed.push(Listed { name, shape: tensor.dims().to_vec(), kind: "f32" });
        Ok(())
    }

    /// All of them, deflated.
    pub(crate) fn deflated(&self) -> Result<Vec<u8>> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&self.bytes).and_then(|()| encoder.finish()).map_err(Error::Compress)
    }
}

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use flate2::read::DeflateDecoder;
    use std::io::Read;

    #[test]
    fn weights_come_back_as_the_nearest_halves() -> Result<()> {
        let w = Tensor::new(&[[1.0f32, -0.333_333_34, 1e-7], [4.5, 65504.0, 0.0]], &Device::Cpu)?;
        let b = Tensor::new(&[0.1f32, -2.0], &Device::Cpu)?;
        let mut weights = Weights::default();
        weights.half("w".into(), &w)?;
        weights.full("b".into(), &b)?;
        let mut bytes = Vec::new();
        DeflateDecoder::new(&weights.deflated()?[..]).read_to_end(&mut bytes).unwrap();
        let (low, rest) = bytes.split_at(6);
        let (high, biases) = rest.split_at(6);
        let halves: Vec<f32> = low.iter().zip(high).map(|(&l, &h)| f16::from_le_bytes([l, h]).to_f32()).collect();
        // 1/3 to eleven bits; 1e-7 is between the two smallest numbers above zero.
        assert_eq!(halves, [1.0, -0.333_251_95, 1.192_092_9e-7, 4.5, 65504.0, 0.0]);
        assert_eq!(biases, [0.1f32.to_le_bytes(), (-2.0f32).to_le_bytes()].concat());
        Ok(())
    }

    #[test]
    fn what_float16_cannot_hold_is_refused() -> Result<()> {
        for value in [70000.0f32, f32::NAN] {
            let tensor = Tensor::new(&[1.0f32, value], &Device::Cpu)?;
            let refused = Weights::default().half("0.rec".into(), &tensor).unwrap_err().to_string();
            assert!(refused.starts_with("0.rec holds"), "{refused}");
        }
        Ok(())
    }
}
