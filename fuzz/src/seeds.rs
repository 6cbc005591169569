//! Valid files of every kind, small, written by the project's own writers where it has them.

use crate::repack;
use candle_core::Device;
use deepbelief_exchange::write_npz;
use deepbelief_finetune::{FinetuneConfig, Finetuner, Network};
use deepbelief_kernels::{Batch, Minibatches};
use deepbelief_rbm::{LabelGroup, Monitors, Provenance, Rbm, RbmConfig, Sampler, TrainConfig, Trainer, save};
use deepbelief_stack::{Dbn, GreedyState};
use deepbelief_wake_sleep::{TuneConfig, Tuner};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::path::Path;
use std::sync::Arc;

/// Valid inputs of a target.
///
/// # Panics
/// If one cannot be made, or there is no such target.
#[must_use]
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let written = |save: &dyn Fn(&Path)| {
        let path = at("seed.safetensors");
        save(&path);
        std::fs::read(path).unwrap()
    };
    let golden = |name: &str| {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/import").join(name)).unwrap()
    };
    let plain = Provenance::default();
    match name {
        "idx" | "idx.gz" => {
            vec![idx(0x08, &[2, 2, 3], &[0, 9, 255, 7, 1, 2, 3, 4, 5, 6, 7, 8]), idx(0x08, &[3, 1, 1], &[0, 1, 2])]
        }
        "csv" => [
            "a,b,label\n0,1,0\n1,0,1\n0.5,0.25,0\n",
            "0,255,17\n3,4,5\n",
            "\"x\",\"y\",kind\n1,2,ant\n3,4,\"bee\"\n",
            "0\n1\n",
            "id;age;sex;blood\n1;20,5;m;A\n2;31,25;f;0\n3;40;m;AB\n",
            "# made by hand\na\tb\n-1\t1\n1\t-1\n",
            "  1.5  true\n 2   false \n3 true\n",
            "\u{feff},0,1,2,3\r0,0,1,16,3\r1,4,5,0,2\r",
        ]
        .map(|text| text.as_bytes().to_vec())
        .into_iter()
        .chain([repack::Packing::Gzip.pack(b"x,y\n1,2.5\n3,4\n0,1\n")])
        .collect(),
        "zip" => {
            let text: &[u8] = b"x,y\n1,2.5\n3,4\n0,1\n";
            vec![zipped(&[("t.csv", text)]), zipped(&[("a/t.csv", b"a;b\n1,5;x\n2;y\n")])]
        }
        "fasta" => [
            ">a one\nACGT-\n>b\nACG\nTN\n",
            ">a\nMKVLAAGIRSSWYFLLEEDDK-\n>b\nMKVLXAGIRSSWYFLLEEDDKK\n",
            ">a\nAC.gT\n>b\n-Ca.T\n>a\nAC.gT\n",
            "#A3M#\n>ss_pred\nHHHH\n>a\nACgT\n>b\n-CaaT\n",
            "# STOCKHOLM 1.0\n#=GF ID x\na AC.\nb -Ca\n#=GC RF xx.\n\na gT\nb .T\n#=GC RF .x\n//\n",
        ]
        .map(|text| text.as_bytes().to_vec())
        .into(),
        "svm" => ["+1 1:0.5 3:1 # end\n-1 qid:2 2:0.25\n", "0 0:7\n2.5 4:1e2 9:nan\nspam 1:1\n"]
            .map(|text| text.as_bytes().to_vec())
            .into(),
        "arff" => [
            "% a survey\n@relation r\n@attribute a numeric\n@attribute 'b c' {x, 'y z', \"q\\\"\"}\n@attribute class {0,1}\n\
             @data\n1,x,0\n?,'y z',1,{2}\n",
            "@relation r\n@attribute a real\n@attribute b {3,2}\n@attribute s string\n@data\n{0 2, 1 2}\n{}\n{2 'w'}\n",
        ]
        .map(|text| text.as_bytes().to_vec())
        .into(),
        "sparse" => vec![
            sparse("csr", &[("indices", 3, &[1, 3, 0]), ("indptr", 3, &[0, 2, 3])]),
            sparse("csc", &[("indices", 3, &[1, 0, 0]), ("indptr", 5, &[0, 1, 2, 2, 3])]),
            sparse("coo", &[("row", 3, &[0, 0, 1]), ("col", 3, &[1, 3, 0])]),
        ],
        "mat" => vec![mat(&[("X", [3, 2], 9, 2), ("y", [3, 1], 6, 2)]), mat(&[("data", [2, 5], 6, 4), ("label", [1, 5], 6, 1)])],
        "hdf5" => ["samples.h5", "samples-v73.mat"]
            .map(|name| std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/data").join(name)).unwrap())
            .into(),
        "npy" | "npz-entry" => vec![
            npy("|u1", "(2, 2, 3)", &[7, 0, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            npy("<f4", "(2, 2)", &[0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 0, 0, 0, 0, 63]),
            npy("<f8", "(2, 1)", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 240, 63]),
            npy(">i2", "(3, 1)", &[0, 0, 0, 1, 0, 7]),
            npy("|b1", "(4, 1)", &[1, 0, 1, 1]),
        ],
        "npz" => {
            let array = npy("|u1", "(2, 3)", &[7, 0, 1, 2, 255, 3]);
            vec![
                repack::Packing::ZipEntry.pack(&array),
                repack::Packing::ZipEntry.pack(&npy("|b1", "(2, 2)", &[1, 0, 0, 1])),
            ]
        }
        "import-npz" => {
            let path = at("x.npz");
            write_npz(&path, &net()).unwrap();
            vec![std::fs::read(path).unwrap(), golden("sklearn.npz")]
        }
        "safetensors" => vec![tensors("x_train", "U8", "[2,3]", 6), tensors("x", "F32", "[2,2]", 16)],
        "parquet" => {
            vec![parquet(&at("x.parquet"), Compression::UNCOMPRESSED), parquet(&at("y.parquet"), Compression::SNAPPY)]
        }
        "png" => vec![png(0, 8), png(2, 8), png(0, 1)],
        "picture" => {
            let mut bmp = b"BM\x42\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0".to_vec();
            bmp.extend([0; 40]);
            let of = |text: &str| text.as_bytes().to_vec();
            let more = [
                of("P5 2 2 255\n\0\x01\x02\x03"),
                of("P6\n2 1\n255\nabcdef"),
                of("P2 2 1 9 3 4"),
                of("P1 2 2 1 0 0 1"),
            ];
            let pam = of("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\nab");
            more.into_iter().chain([bmp, pam]).collect()
        }
        "checkpoint" => vec![
            written(&|path| save(path, &rbm(), &plain).unwrap()),
            written(&|path| net().save(path, &plain).unwrap()),
        ],
        "network" => vec![
            written(&|path| Network::classifier(&net(), 3).unwrap().save(path, &plain).unwrap()),
            written(&|path| Network::autoencoder(&net()).unwrap().save(path, &plain).unwrap()),
        ],
        "state" => {
            // Each holds something that the others do not.
            let config = TrainConfig { epochs: 1, persistent_chains: 2, temperatures: 3, ..Default::default() };
            let centred = TrainConfig { centred: true, averaging: 0.9, log_z_every: 1, ..config.clone() };
            let by = |sampler| TrainConfig { sampler, ..config.clone() };
            let others = [by(Sampler::Fast), by(Sampler::Tempered), by(Sampler::Trajectory)];
            let state = |config: TrainConfig| {
                let mut trainer = Trainer::new(&rbm(), config).unwrap();
                trainer.fit(&mut Ones, &monitors(), &mut ()).unwrap();
                both(written(&|path| trainer.snapshot().state().unwrap().save(path).unwrap()))
            };
            [config.clone(), centred].into_iter().chain(others).flat_map(state).collect()
        }
        "stack-state" => {
            let finished = net().to_rbms().unwrap();
            GreedyState::save_finished(folder.path(), &finished[..1], &plain).unwrap();
            both(std::fs::read(at("layers.safetensors")).unwrap())
        }
        "tune-state" => {
            let tuner = Tuner::new(&net(), TuneConfig::default()).unwrap();
            both(written(&|path| tuner.snapshot().state().unwrap().save(path).unwrap()))
        }
        "tuned-state" => {
            let network = Network::classifier(&net(), 3).unwrap();
            let finetuner = Finetuner::new(&network, FinetuneConfig::default()).unwrap();
            both(written(&|path| finetuner.snapshot().state().unwrap().save(path).unwrap()))
        }
        "import-mat" => vec![golden("mnistvh.mat"), golden("mnistpo.mat")],
        "import-hdf5" => vec![golden("rbms.h5"), golden("v73.mat")],
        name => panic!("there is no target {name}"),
    }
}

/// With its checksum, and without, as older versions wrote it: behind that, mutated numbers are read.
fn both(sealed: Vec<u8>) -> Vec<Vec<u8>> {
    let length = u64::from_le_bytes(*sealed.first_chunk().unwrap()) as usize;
    let header = String::from_utf8(sealed[8..8 + length].to_vec()).unwrap();
    let start = header.find("\\\"content_sha256\\\"").unwrap();
    let end = start + header[start..].find(',').unwrap() + 1;
    let header = format!("{}{}", &header[..start], &header[end..]);
    let mut open = (header.len() as u64).to_le_bytes().to_vec();
    open.extend(header.bytes());
    open.extend_from_slice(&sealed[8 + length..]);
    vec![sealed, open]
}

struct Ones;

impl Minibatches for Ones {
    fn samples(&self) -> usize {
        2
    }
    fn units(&self) -> usize {
        4
    }
    fn batches(&self) -> usize {
        1
    }
    fn start_epoch(&mut self, _: u32) {}
    fn fill(&mut self, _: usize, batch: &mut Batch) {
        batch.make_real(2, 4).fill(1.0);
    }
}

fn monitors() -> Monitors {
    let mut train = Batch::default();
    Ones.fill(0, &mut train);
    Monitors { train, ..Default::default() }
}

fn rbm() -> Rbm {
    Rbm::new(&RbmConfig { hidden: 3, ..Default::default() }, &[0.5; 4], &Device::Cpu).unwrap()
}

/// 4-3-2 with three labels.
fn net() -> Dbn {
    let top = Rbm::new(&RbmConfig { hidden: 2, ..Default::default() }, &[0.5; 3], &Device::Cpu).unwrap();
    let labels = LabelGroup::zeros(3, &top).unwrap();
    Dbn::from_rbms(vec![rbm(), top.with_labels(labels).unwrap()]).unwrap()
}

fn idx(kind: u8, shape: &[u32], values: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, kind, shape.len() as u8];
    file.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
    file.extend_from_slice(values);
    file
}

fn npy(kind: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend_from_slice(values);
    file
}

fn tensors(name: &str, kind: &str, shape: &str, bytes: usize) -> Vec<u8> {
    let header = format!("{{\"{name}\":{{\"dtype\":\"{kind}\",\"shape\":{shape},\"data_offsets\":[0,{bytes}]}}}}");
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    file.extend(vec![0; bytes]);
    file
}

/// A picture of 2 x 2 pixels; its checksums are put right when it is packed.
fn png(colours: u8, depth: u8) -> Vec<u8> {
    use std::io::Write;
    let line = if colours == 2 { 7 } else { 2 + usize::from(depth == 8) };
    let mut pixels = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    pixels.write_all(&vec![0; 2 * line]).unwrap();
    let header = [0, 0, 0, 2, 0, 0, 0, 2, depth, colours, 0, 0, 0];
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in [(b"IHDR", header.to_vec()), (b"IDAT", pixels.finish().unwrap()), (b"IEND", Vec::new())] {
        let mut sum = flate2::Crc::new();
        sum.update(name);
        sum.update(&content);
        file.extend((content.len() as u32).to_be_bytes());
        file.extend_from_slice(name);
        file.extend(content);
        file.extend(sum.sum().to_be_bytes());
    }
    file
}

fn parquet(path: &Path, compression: Compression) -> Vec<u8> {
    let schema = "message m { required double a; required int64 b; required binary kind (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&[0.0, 0.25], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[0, 1], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let kinds = ["bee", "ant"].map(ByteArray::from);
    column.typed::<ByteArrayType>().write_batch(&kinds, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    std::fs::read(path).unwrap()
}

/// A zip archive of these files, uncompressed.
fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A sparse matrix of 2 x 4 with three values, with these arrays of places.
fn sparse(format: &str, places: &[(&str, usize, &[u8])]) -> Vec<u8> {
    let mut files = vec![
        ("format.npy".to_string(), npy("|S3", "()", format.as_bytes())),
        ("shape.npy".to_string(), npy("|u1", "(2,)", &[2, 4])),
        ("data.npy".to_string(), npy("|u1", "(3,)", &[1, 2, 3])),
    ];
    for (name, count, bytes) in places {
        files.push((format!("{name}.npy"), npy("|u1", &format!("({count},)"), bytes)));
    }
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    zipped(&files)
}

/// A MATLAB file of matrices: name, shape, class and type of the numbers, 1, 2, 3, ...
fn mat(matrices: &[(&str, [u32; 2], u32, u32)]) -> Vec<u8> {
    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [kind, data.len() as u32].map(u32::to_le_bytes).concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }
    let mut file = b"MATLAB 5.0 MAT-file".to_vec();
    file.resize(124, b' ');
    file.extend(b"\x00\x01IM");
    for (name, shape, class, kind) in matrices {
        let width = if *kind == 4 { 2 } else { 1 };
        let numbers: Vec<u8> = (1..=(shape[0] * shape[1]) as u8).flat_map(|x| [x, 0][..width].to_vec()).collect();
        let parts = [
            element(6, &[*class, 0].map(u32::to_le_bytes).concat()),
            element(5, &shape.map(u32::to_le_bytes).concat()),
            element(1, name.as_bytes()),
            element(*kind, &numbers),
        ];
        file.extend(element(14, &parts.concat()));
    }
    file
}
