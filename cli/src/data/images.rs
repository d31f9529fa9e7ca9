//! Folders of PNG images, one folder a class: their pixels row by row as features, 0 … 255, the names of the folders as
//! labels. All images have one size. Grey images stay grey where all are; transparency is left out.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use matgrad::train::ImageShape;
use png::{ColorType, Decoder, Transformations};

use super::stored::Stored;
use crate::failure::Failure;

/// Images of some classes.
pub struct Images {
    /// Their pixels.
    pub rows: Stored,
    /// The class of each by its name; none where they were in no class's folder.
    pub labels: Option<Vec<String>>,
    /// Their size.
    pub image: ImageShape,
}

/// The folders of classes, sorted by name, none where there are no folders.
pub fn classes(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// Whether a folder has PNG images in it.
pub fn has_images(folder: &Path) -> Result<bool, Failure> {
    Ok(entries(folder)?.iter().any(|path| is_png(path)))
}

/// The images of the classes' folders. Grey ones become three channels where `width`, the number of features wanted, is that.
///
/// # Errors
/// A class without images, images of several sizes, broken ones, images in other forms.
pub fn of_classes(folders: &[PathBuf], width: Option<usize>) -> Result<Images, Failure> {
    let (mut paths, mut labels) = (Vec::new(), Vec::new());
    for folder in folders {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let images = images_in(folder)?;
        if images.is_empty() {
            return Err(Failure::wrong(format!("the folder `{}` has no PNG image", folder.display())));
        }
        labels.extend(vec![name; images.len()]);
        paths.extend(images);
    }
    let (rows, image) = decode(&paths, width)?;
    Ok(Images { rows, labels: Some(labels), image })
}

/// The images of one folder, in order of their names, without labels.
///
/// # Errors
/// As [`of_classes`].
pub fn unlabelled(folder: &Path, width: Option<usize>) -> Result<Images, Failure> {
    let (rows, image) = decode(&images_in(folder)?, width)?;
    Ok(Images { rows, labels: None, image })
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unread = |error: &std::io::Error| Failure::file("read", folder, error);
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unread(&error))? {
        let path = entry.map_err(|error| unread(&error))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            out.push(path);
        }
    }
    out.sort_unstable();
    Ok(out)
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn is_png(path: &Path) -> bool {
    ending(path) == "png"
}

fn images_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = entries(folder)?;
    let other = ["jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "pgm", "ppm"];
    if let Some(path) = entries.iter().find(|path| other.contains(&ending(path).as_str())) {
        return Err(Failure::wrong(format!("`{}` is no PNG image; others are not read", path.display())));
    }
    Ok(entries.into_iter().filter(|path| is_png(path)).collect())
}

/// All images one after another: grey where all are, else with three channels.
fn decode(paths: &[PathBuf], wanted: Option<usize>) -> Result<(Stored, ImageShape), Failure> {
    let mut pixels: Vec<u8> = Vec::new();
    let mut first: Option<(&Path, usize, usize)> = None;
    let mut channels = 1;
    for (done, path) in paths.iter().enumerate() {
        let (rows, columns, own, bytes) = one(path)?;
        if first.is_none() && wanted == Some(3 * rows * columns) {
            channels = 3;
        }
        let &mut (other, height, width) = first.get_or_insert((path, rows, columns));
        if (height, width) != (rows, columns) {
            return Err(Failure::wrong(format!(
                "`{}` has {rows}×{columns} pixels, but `{}` has {height}×{width}; all images need one size",
                path.display(),
                other.display()
            )));
        }
        if own == 3 && channels == 1 {
            debug_assert_eq!(pixels.len(), done * rows * columns);
            pixels = pixels.into_iter().flat_map(|grey| [grey; 3]).collect();
            channels = 3;
        }
        match own == channels {
            true => pixels.extend_from_slice(&bytes),
            false => pixels.extend(bytes.into_iter().flat_map(|grey| [grey; 3])),
        }
    }
    let (_, rows, columns) = first.ok_or_else(|| Failure::wrong("there is no PNG image"))?;
    let image = ImageShape { rows, columns, channels, planar: false };
    Ok((Stored::of_bytes(pixels, image.size()), image))
}

/// Rows, columns, channels (1 or 3) and pixels of an image.
fn one(path: &Path) -> Result<(usize, usize, usize, Vec<u8>), Failure> {
    let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    let broken =
        |error: png::DecodingError| Failure::wrong(format!("`{}`: it is no whole PNG: {error}", path.display()));
    let mut decoder = Decoder::new(BufReader::new(file));
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(broken)?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| Failure::wrong(format!("`{}`: the image is too large", path.display())))?;
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes).map_err(broken)?;
    bytes.truncate(frame.buffer_size());
    let (channels, bytes) = match frame.color_type {
        ColorType::Grayscale => (1, bytes),
        ColorType::GrayscaleAlpha => (1, bytes.as_chunks::<2>().0.iter().map(|pixel| pixel[0]).collect()),
        ColorType::Rgb => (3, bytes),
        ColorType::Rgba => {
            (3, bytes.as_chunks::<4>().0.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect())
        }
        ColorType::Indexed => {
            return Err(Failure::wrong(format!("`{}`: its colours could not be looked up", path.display())));
        }
    };
    Ok((frame.height as usize, frame.width as usize, channels, bytes))
}
