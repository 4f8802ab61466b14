//! A chart as a PNG, drawn with the fonts of this machine; none is shipped.

use resvg::render;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// How many dots a chart has for each unit of its own, so that it is sharp when it is printed.
const DOTS: f32 = 2.0;
/// The widest and the highest image, in dots.
const SIDE_MAX: u32 = 16_384;

/// Why there is no image. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PngError {
    /// The machine has no font, so that charts would have no words.
    #[error("this machine has no font, and a chart without words tells nothing")]
    Fonts,
    /// The chart is larger than an image may be.
    #[error("the chart is {0} by {1} dots, more than {SIDE_MAX} on a side")]
    Large(u32, u32),
    /// The chart could not be read or drawn.
    #[error("the chart cannot be drawn: {0}")]
    Drawn(String),
}

impl PngError {
    /// What to do instead.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Fonts => {
                "install one, such as fonts-dejavu-core, or name a file that ends in .svg"
            }
            Self::Large(..) | Self::Drawn(_) => "name a file that ends in .svg",
        }
    }
}

/// Draws a chart on white.
pub(crate) fn drawn(svg: &str) -> Result<Vec<u8>, PngError> {
    let mut options = Options::default();
    options.fontdb_mut().load_system_fonts();
    if options.fontdb.is_empty() {
        return Err(PngError::Fonts);
    }
    let cause = |cause: &dyn std::fmt::Display| PngError::Drawn(cause.to_string());
    let tree = Tree::from_str(svg, &options).map_err(|error| cause(&error))?;
    let size = tree.size();
    let (width, height) = ((size.width() * DOTS) as u32, (size.height() * DOTS) as u32);
    let fits = width.max(height) <= SIDE_MAX;
    let canvas = Pixmap::new(width, height).filter(|_| fits);
    let mut canvas = canvas.ok_or(PngError::Large(width, height))?;
    canvas.fill(Color::WHITE);
    render(&tree, Transform::from_scale(DOTS, DOTS), &mut canvas.as_mut());
    canvas.encode_png().map_err(|error| cause(&error))
}

#[cfg(test)]
mod tests {
    use bary_sim::lab::chart::Chart;

    use super::*;

    fn chart(words: &str) -> String {
        let mut chart = Chart::new(200.0, 100.0, "", "");
        chart.words((20.0, 50.0), words, "start", "bold");
        chart.alone()
    }

    fn dark(png: &[u8]) -> usize {
        let image = Pixmap::decode_png(png).expect("what was encoded can be decoded");
        assert_eq!((image.width(), image.height()), (400, 200));
        image.pixels().iter().filter(|dot| dot.red() < 128).count()
    }

    #[test]
    fn an_image_has_its_size_and_its_words_or_a_machine_without_fonts_says_so() {
        match drawn(&chart("")) {
            Ok(empty) => {
                let written = drawn(&chart("words")).expect("there are fonts");
                assert_eq!(dark(&empty), 0);
                assert!(dark(&written) > 200, "{} dark dots", dark(&written));
            }
            Err(error) => assert!(matches!(error, PngError::Fonts), "{error}"),
        }
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let large = Chart::new(20_000.0, 10.0, "", "").alone();
        let told = drawn(&large).expect_err("an image is not so wide");
        assert!(matches!(told, PngError::Fonts | PngError::Large(40_000, 20)), "{told}");
    }
}
