//! As what a chart is written: SVG always, and PNG unless this program was built without it.

use std::path::Path;

use crate::complaint::Complaint;

/// The kind of a picture.
#[derive(Clone, Copy)]
pub(crate) enum Picture {
    /// Text that every browser shows.
    Svg,
    /// Dots.
    #[cfg(feature = "png")]
    Png,
}

impl Picture {
    /// The kind that a file's name says. What cannot be drawn is refused before anything runs.
    pub(crate) fn of(path: &Path) -> Result<Self, Complaint> {
        let is = |kind: &str| path.extension().is_some_and(|end| end.eq_ignore_ascii_case(kind));
        if is("svg") {
            return Ok(Self::Svg);
        }
        if is("png") {
            return png();
        }
        let text = format!("`{}` would be neither an SVG nor a PNG", path.display());
        Err(Complaint::usage(text).help("name a file that ends in .svg or .png"))
    }

    /// The bytes of a chart that is SVG already.
    pub(crate) fn bytes(self, chart: &str) -> Result<Vec<u8>, Complaint> {
        match self {
            Self::Svg => Ok(chart.as_bytes().to_vec()),
            #[cfg(feature = "png")]
            Self::Png => drawn(chart),
        }
    }
}

#[cfg(feature = "png")]
fn png() -> Result<Picture, Complaint> {
    const EMPTY: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>";
    drawn(EMPTY).map(|_| Picture::Png)
}

#[cfg(feature = "png")]
fn drawn(chart: &str) -> Result<Vec<u8>, Complaint> {
    use crate::verb::sim::lab::png;

    png::drawn(chart).map_err(|error| Complaint::failed(&error).help(error.help()))
}

#[cfg(not(feature = "png"))]
fn png() -> Result<Picture, Complaint> {
    let text = "this bary was built without PNG";
    let help = "name a file that ends in .svg, or build it with the feature png";
    Err(Complaint::usage(text).help(help))
}
