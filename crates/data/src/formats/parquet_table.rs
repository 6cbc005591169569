//! Tables of results as Parquet files.

use crate::error::Error;
use crate::tables::block::Block;

/// A table as the bytes of a Parquet file: a column of 32-bit or 64-bit floats, 64-bit integers or texts for each name.
///
/// # Errors
/// [`Error::FeatureOff`] without the feature `parquet`; if blocks have unlike numbers of rows.
#[cfg(feature = "parquet")]
pub fn parquet_table(blocks: &[&Block]) -> Result<Vec<u8>, Error> {
    written(blocks).map_err(|error| Error::Broken {
        what: "the table".into(),
        format: "Parquet",
        reason: error.to_string(),
    })
}

/// Refuses: this build has no Parquet.
///
/// # Errors
/// [`Error::FeatureOff`].
#[cfg(not(feature = "parquet"))]
pub fn parquet_table(_: &[&Block]) -> Result<Vec<u8>, Error> {
    Err(Error::FeatureOff { what: "or write Parquet files".into(), feature: "parquet" })
}

#[cfg(feature = "parquet")]
fn written(blocks: &[&Block]) -> parquet::errors::Result<Vec<u8>> {
    use crate::tables::block::BlockValues;
    use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::types::Type;
    use std::sync::Arc;

    let mut fields = Vec::new();
    for block in blocks {
        let (physical, logical) = match block.values {
            BlockValues::Floats(_) => (Physical::FLOAT, None),
            BlockValues::Doubles(_) => (Physical::DOUBLE, None),
            BlockValues::Whole(_) => (Physical::INT64, None),
            BlockValues::Texts { .. } => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        for name in &block.names {
            let field = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
            fields.push(Arc::new(field.with_logical_type(logical.clone()).build()?));
        }
    }
    let schema = Type::group_type_builder("table").with_fields(fields).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for block in blocks {
        for column in 0..block.names.len() {
            let Some(mut open) = group.next_column()? else { continue };
            let step = block.names.len();
            match &block.values {
                BlockValues::Floats(values) => {
                    let values: Vec<f32> = values.iter().skip(column).step_by(step).copied().collect();
                    open.typed::<FloatType>().write_batch(&values, None, None)?;
                }
                BlockValues::Doubles(values) => {
                    let values: Vec<f64> = values.iter().skip(column).step_by(step).copied().collect();
                    open.typed::<DoubleType>().write_batch(&values, None, None)?;
                }
                BlockValues::Whole(values) => {
                    let values: Vec<i64> = values.iter().skip(column).step_by(step).copied().collect();
                    open.typed::<Int64Type>().write_batch(&values, None, None)?;
                }
                BlockValues::Texts { texts, places } => {
                    let texts: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(text.as_str())).collect();
                    let values = places.iter().skip(column).step_by(step).map(|&place| texts[place as usize].clone());
                    open.typed::<ByteArrayType>().write_batch(&values.collect::<Vec<_>>(), None, None)?;
                }
            }
            open.close()?;
        }
    }
    group.close()?;
    writer.into_inner()
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use super::*;
    use crate::schema::options::LoadOptions;
    use crate::tables::block::BlockValues;
    use crate::{Source, load};

    /// The reader of this crate gives back what was written.
    #[test]
    fn a_table_is_read_back() {
        let floats =
            Block { names: vec!["a".into(), "b".into()], values: BlockValues::Floats(vec![0.5, 0.0, 0.25, 1.0]) };
        let texts = BlockValues::Texts { texts: vec!["bee".into(), "ant".into()], places: vec![0, 1] };
        let kind = Block::column("kind", texts);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        std::fs::write(&path, parquet_table(&[&floats, &kind]).unwrap()).unwrap();
        let options = LoadOptions { label_column: Some("kind".into()), ..LoadOptions::default() };
        let data = load(&Source::Parquet(path), &options).unwrap();
        assert_eq!((data.train.units(), data.train.labels()), (2, Some(vec![1, 0])));
        assert_eq!(data.class_names, Some(vec!["ant".to_string(), "bee".into()]));
        let batch = data.train.batch(0..2, crate::Binarize::None, 0).unwrap();
        assert_eq!(batch.to_values(), [0.5, 0.0, 0.25, 1.0]);
        let short = Block::column("c", BlockValues::Whole(vec![1]));
        assert!(parquet_table(&[&floats, &short]).is_err());
    }
}
