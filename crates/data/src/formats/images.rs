//! Folders of pictures, brought to grey and to one size.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageReader};

use super::canvas::{Canvas, decoded};
use crate::error::Error;
use crate::memory::room::{Room, reserve};
use crate::tables::image_shape::ImageShape;
use crate::tables::table::{Table, Tables, check_units};
use crate::tables::values::Values;

/// Names that systems give.
const SYSTEM: [&str; 3] = ["Thumbs.db", "desktop.ini", "__MACOSX"];

/// Reads a folder of pictures, or of sub-folders that are classes in the order of their names,
/// or of two sub-folders `train` and `test` that are either. What systems put into folders is skipped; every other
/// file must be a picture. Pictures come in the order of their names, and have the size that is asked for, or one.
pub(crate) fn read_dir(dir: &Path, asked: Option<ImageShape>, room: Room) -> Result<Tables, Error> {
    if let Some(size) = asked {
        check_units(size.width as u128 * size.height as u128, &format!("{} at {size}", dir.display()))?;
    }
    let mut canvas = Canvas::new(asked);
    let (folders, _) = entries(dir)?;
    let names: Vec<_> = folders.iter().map(|folder| name(folder)).collect();
    if names != ["test", "train"] {
        let (train, class_names) = read_split(dir, &mut canvas, room)?;
        return Ok(Tables { image: canvas.size(), class_names, notes: canvas.notes(), ..Tables::of(train) });
    }
    let (train, class_names) = read_split(&folders[1], &mut canvas, room)?;
    let (test, test_names) = read_split(&folders[0], &mut canvas, room.beside(train.held_bytes()))?;
    if test_names != class_names {
        let list = |names: Option<Vec<String>>| names.map_or("no sub-folders".into(), |names| names.join(", "));
        let reason =
            format!("train has {}, test has {}: the classes must be the same", list(class_names), list(test_names));
        return Err(Error::Folder { dir: dir.into(), reason });
    }
    let (image, notes) = (canvas.size(), canvas.notes());
    Ok(Tables { test: Some(test), image, class_names, notes, ..Tables::of(train) })
}

/// Pictures of one split, and the names of the classes if there are sub-folders.
fn read_split(dir: &Path, canvas: &mut Canvas, room: Room) -> Result<(Table, Option<Vec<String>>), Error> {
    let (folders, files) = entries(dir)?;
    let what = dir.display().to_string();
    let (mut pixels, mut labels, mut names) = (Vec::new(), None, Vec::new());
    let mut append = |file: &PathBuf| {
        let picture = picture(file)?;
        let refused = |reason: String| Error::Folder { dir: dir.into(), reason: format!("{} {reason}", name(file)) };
        let size = canvas.size_of(&picture).map_err(refused)?;
        let units = size.width * size.height;
        room.require(&what, pixels.len() as u128 + units as u128)?;
        reserve(file, &mut pixels, units)?;
        canvas.draw(&picture, size, &mut pixels);
        names.push(file.strip_prefix(dir).unwrap_or(file).to_string_lossy().into_owned());
        Ok::<_, Error>(())
    };
    if folders.is_empty() {
        files.iter().try_for_each(&mut append)?;
    } else if let Some(file) = files.first() {
        let reason = format!("{} lies beside sub-folders: move it into its class", name(file));
        return Err(Error::Folder { dir: dir.into(), reason });
    } else {
        let labels = labels.insert(Vec::new());
        for (class, folder) in folders.iter().enumerate() {
            let (deeper, files) = entries(folder)?;
            if let Some(deeper) = deeper.first() {
                let reason = format!("{} is a folder inside a class: classes hold pictures only", name(deeper));
                return Err(Error::Folder { dir: folder.clone(), reason });
            }
            files.iter().try_for_each(&mut append)?;
            labels.extend(std::iter::repeat_n(class as u32, files.len()));
        }
    }
    let class_names = labels.as_ref().map(|_| folders.iter().map(|folder| name(folder)).collect());
    let Some(size) = canvas.size() else { return Err(Error::Empty { what }) };
    let mut table = Table::new(what, size.width * size.height, Values::Bytes(pixels));
    table.labels = labels;
    table.ids = Some(names);
    Ok((table, class_names))
}

/// Sub-folders and files in the order of their names, but for those that systems make: hidden ones, thumbnails, what
/// is in archives of macOS.
fn entries(dir: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Error> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::read(dir))? {
        let path = entry.map_err(Error::read(dir))?.path();
        let name = name(&path);
        if !name.starts_with('.') && !SYSTEM.iter().any(|other| name.eq_ignore_ascii_case(other)) {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    Ok(paths.into_iter().partition(|path| path.is_dir()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(OsStr::new("")).to_string_lossy().into_owned()
}

/// Reads the picture of a file.
fn picture(path: &Path) -> Result<DynamicImage, Error> {
    let refused = |reason: String| Error::Picture { path: path.into(), reason };
    // What a link leads to may be a device that never ends, or a pipe that never begins.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(refused("is no file".into()));
    }
    decoded(ImageReader::open(path).map_err(Error::read(path))?).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::pixels::Row;
    use crate::{Dataset, LoadOptions, Source, load};
    use image::{GrayImage, Luma, Rgb, RgbImage};

    fn grey(path: &Path, width: u32, height: u32, value: u8) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        GrayImage::from_pixel(width, height, Luma([value])).save(path).unwrap();
    }

    fn read(dir: &Path, size: &str) -> Result<Dataset, String> {
        let options = LoadOptions { image_size: size.parse().ok(), ..LoadOptions::default() };
        let prefix = dir.display().to_string();
        load(&Source::Images(dir.into()), &options).map_err(|error| error.to_string().replace(&prefix, "DIR"))
    }

    /// A header of a few bytes that promises gigabytes; with the right checksum, and no more behind it.
    #[test]
    fn a_picture_of_gigabytes_is_refused_by_its_header() {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, content) in [(b"IHDR", &b"\0\0\x80\0\0\0\x80\0\x08\x06\0\0\0"[..]), (b"IDAT", b"x\x9c")] {
            let mut sum = flate2::Crc::new();
            sum.update(name);
            sum.update(content);
            file.extend((content.len() as u32).to_be_bytes());
            file.extend(name);
            file.extend(content);
            file.extend(sum.sum().to_be_bytes());
        }
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("bomb.png"), &file).unwrap();
        let message = read(dir.path(), "2x2").unwrap_err();
        assert!(message.contains("bomb.png") && message.to_lowercase().contains("limit"), "{message}");
    }

    /// Links may lead out of the folder, to pictures; to folders, which are classes, though not without an end;
    /// to what is no file they may not.
    #[cfg(unix)]
    #[test]
    fn links_lead_to_pictures_or_nowhere() {
        use std::os::unix::fs::symlink;
        let elsewhere = tempfile::tempdir().unwrap();
        grey(&elsewhere.path().join("x.png"), 2, 2, 7);
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("x.png");
        symlink(elsewhere.path().join("x.png"), &link).unwrap();
        assert_eq!(read(dir.path(), "2x2").unwrap().train.samples(), 1);
        for target in ["/dev/zero", "/dev/null", "nowhere", "x.png"] {
            fs::remove_file(&link).unwrap();
            symlink(target, &link).unwrap();
            let message = read(dir.path(), "2x2").unwrap_err();
            assert!(message.contains("x.png"), "{target}: {message}");
        }
        fs::remove_file(&link).unwrap();
        symlink(".", dir.path().join("loop")).unwrap();
        assert_eq!(
            read(dir.path(), "2x2").unwrap_err(),
            "DIR/loop: loop is a folder inside a class: classes hold pictures only"
        );
    }

    /// Uniform pictures stay uniform under any resizing, so each row tells its file and class.
    #[test]
    fn sub_folders_are_classes_in_the_order_of_their_names() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        grey(&at("dogs/b.png"), 3, 2, 30);
        grey(&at("dogs/a.bmp"), 9, 7, 20);
        grey(&at("cats/z.png"), 1, 1, 200);
        for name in ["cats/.hidden", "cats/Thumbs.db", "dogs/desktop.ini"] {
            fs::write(at(name), "x").unwrap();
        }
        fs::create_dir(at("__MACOSX")).unwrap();
        let data = read(dir.path(), "3x2").unwrap();
        assert_eq!(data.train.labels(), Some(vec![0, 1, 1]));
        assert_eq!(data.class_names, Some(vec!["cats".into(), "dogs".into()]));
        assert_eq!(data.image, Some(ImageShape { width: 3, height: 2 }));
        let names = ["cats/z.png", "dogs/a.bmp", "dogs/b.png"].map(Some);
        assert_eq!([0, 1, 2].map(|row| data.train.name(row)), names);
        for (row, value) in [200u8, 20, 30].into_iter().enumerate() {
            assert_eq!(data.train.row(row), Row::Bytes(&[value; 6]));
        }
    }

    /// A picture of the right size is taken as it is, row by row; a larger one is averaged, not
    /// picked at; colours become their brightness (green brighter than blue).
    #[test]
    fn pictures_without_folders_have_no_labels_and_are_resized_to_grey() {
        let dir = tempfile::tempdir().unwrap();
        let ramp = GrayImage::from_fn(3, 2, |x, y| Luma([(100 * y + x) as u8]));
        ramp.save(dir.path().join("a.png")).unwrap();
        GrayImage::from_fn(300, 200, |x, _| Luma([255 * (x % 2) as u8])).save(dir.path().join("b.png")).unwrap();
        let colour = RgbImage::from_fn(3, 2, |x, _| if x == 0 { Rgb([0, 255, 0]) } else { Rgb([0, 0, 255]) });
        colour.save(dir.path().join("c.png")).unwrap();
        let data = read(dir.path(), "3x2").unwrap();
        assert!(data.train.labels().is_none() && data.class_names.is_none());
        assert_eq!(data.train.row(0), Row::Bytes(&[0, 1, 2, 100, 101, 102]));
        let Row::Bytes(stripes) = data.train.row(1) else { unreachable!() };
        assert!(stripes.iter().all(|byte| (120..=135).contains(byte)), "{stripes:?}");
        let Row::Bytes(colours) = data.train.row(2) else { unreachable!() };
        assert!(colours[0] > colours[1] && colours[1] > 0, "{colours:?}");
    }

    /// The size is that of the pictures, if it is one; what they lose is said.
    #[test]
    fn sizes_are_not_changed_unasked_and_losses_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        grey(&at("a.png"), 3, 2, 30);
        let half = image::Rgba([0, 0, 0, 51]);
        image::RgbaImage::from_fn(3, 2, |x, _| if x == 0 { half } else { image::Rgba([9, 9, 9, 255]) })
            .save(at("b.png"))
            .unwrap();
        RgbImage::from_pixel(3, 2, Rgb([200, 0, 0])).save(at("c.png")).unwrap();
        let data = read(dir.path(), "").unwrap();
        assert_eq!(data.image, Some(ImageShape { width: 3, height: 2 }));
        assert_eq!(data.train.row(1), Row::Bytes(&[204, 9, 9, 204, 9, 9]));
        assert_eq!(
            data.notes,
            [
                "1 of 3 pictures lose their colours: they become grey",
                "1 of 3 pictures have transparent parts: they lie on white"
            ]
        );
        grey(&at("d.png"), 4, 2, 30);
        let error = read(dir.path(), "").unwrap_err();
        assert_eq!(
            error,
            "DIR: d.png is 4x2, and those before it are 3x2: say `--image-size 3x2` to bring all to one size"
        );
        assert_eq!(read(dir.path(), "3x2").unwrap().notes[0], "1 of 4 pictures of another size are brought to 3x2");
        let large = tempfile::tempdir().unwrap();
        grey(&large.path().join("a.png"), 300, 300, 3);
        let error = read(large.path(), "").unwrap_err();
        assert!(error.contains("a.png is 300x300, 90000 pixels, and a layer has at most 65504 units"), "{error}");
    }

    #[test]
    fn train_and_test_folders_are_splits_of_the_same_classes() {
        let dir = tempfile::tempdir().unwrap();
        for (name, value) in [("train/0/a.png", 1), ("train/1/b.png", 2), ("test/0/c.png", 3), ("test/1/d.png", 4)] {
            grey(&dir.path().join(name), 2, 2, value);
        }
        let data = read(dir.path(), "2x2").unwrap();
        assert_eq!(data.train.labels(), Some(vec![0, 1]));
        let test = data.test.unwrap();
        assert_eq!((test.labels(), test.row(1)), (Some(vec![0, 1]), Row::Bytes(&[4; 4])));
        fs::remove_dir_all(dir.path().join("test/1")).unwrap();
        assert_eq!(
            read(dir.path(), "2x2").unwrap_err(),
            "DIR: train has 0, 1, test has 0: the classes must be the same"
        );
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path(), "2x2").unwrap_err(), "DIR: there are no samples");
        grey(&dir.path().join("a.png"), 2, 2, 1);
        let good = fs::read(dir.path().join("a.png")).unwrap();
        for (name, bytes) in [("b.png", &good[..good.len() / 2]), ("notes.txt", b"hello"), ("c.jpg", b"\xff\xd8\xff")] {
            fs::write(dir.path().join(name), bytes).unwrap();
            let error = read(dir.path(), "2x2").unwrap_err();
            assert!(error.starts_with(&format!("DIR/{name}: not a readable picture: ")), "{error}");
            fs::remove_file(dir.path().join(name)).unwrap();
        }
        grey(&dir.path().join("class/d.png"), 2, 2, 1);
        assert_eq!(read(dir.path(), "2x2").unwrap_err(), "DIR: a.png lies beside sub-folders: move it into its class");
        fs::remove_file(dir.path().join("a.png")).unwrap();
        grey(&dir.path().join("class/deeper/e.png"), 2, 2, 1);
        assert!(read(dir.path(), "2x2").unwrap_err().starts_with("DIR/class: deeper is a folder inside a class"));
        assert!(read(dir.path(), "300x300").unwrap_err().contains("DIR at 300x300: the samples have 90000 columns"));
        assert!(read(&dir.path().join("none"), "2x2").unwrap_err().starts_with("cannot read DIR"));
    }

    #[test]
    fn no_more_memory_is_taken_than_there_may_be() {
        let folder = tempfile::tempdir().unwrap();
        (0..3).for_each(|k| grey(&folder.path().join(format!("{k}.png")), 5, 4, 7));
        let within = |most| {
            let options = LoadOptions { max_memory: Some(most), ..LoadOptions::default() };
            load(&Source::Images(folder.path().into()), &options).map_err(|error| error.to_string())
        };
        assert_eq!(within(60).unwrap().train.samples(), 3);
        assert!(within(59).unwrap_err().contains("the data take more than 0 MiB of memory"));
    }
}
