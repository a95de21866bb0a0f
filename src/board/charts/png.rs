//! SVG to PNG, with the fonts of this machine.

use std::sync::{Arc, Mutex, PoisonError};

use resvg::usvg::fontdb::Database;
use resvg::usvg::{Node, Options, Tree};
use resvg::{tiny_skia, usvg};
use tokio::sync::Semaphore;

/// Pictures made at a time: each takes a core and some ten megabytes.
const AT_A_TIME: usize = 1;

static ROOM: Semaphore = Semaphore::const_new(AT_A_TIME);

/// The fonts found, once some of them are Chinese: reading their folders takes long. Where none
/// is, they are looked for again, so that a font installed meanwhile is found without a restart.
static FONTS: Mutex<Option<Arc<Database>>> = Mutex::new(None);

/// Families that look well in a table; the first that is there is used throughout.
const FAMILIES: [&str; 12] = [
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "HarmonyOS Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "SimHei",
    "Noto Serif CJK SC",
    "SimSun",
];

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(in crate::board) enum PngError {
    /// No font of this machine has Chinese characters.
    #[error(
        "服务器上没有中文字体，不能生成图片。请服务器管理员安装中文字体（Debian、Ubuntu：apt install fonts-noto-cjk；\
         麒麟、欧拉等：dnf install google-noto-sans-cjk-ttc-fonts），安装后不必重启。也可以先下载 SVG 图。"
    )]
    NoFont,
    /// Our own SVG is not what it should be.
    #[error("the picture could not be read")]
    Svg(#[from] usvg::Error),
    /// No memory for it, or it cannot be written.
    #[error("the picture could not be made: {0}")]
    Png(String),
    /// The thread that drew it is gone.
    #[error("the picture was given up")]
    Thread(#[from] tokio::task::JoinError),
}

/// Draws a picture; one at a time, away from the threads that answer requests.
pub(in crate::board) async fn png(svg: String) -> Result<Vec<u8>, PngError> {
    // The semaphore is never closed.
    let _room = ROOM.acquire().await;
    tokio::task::spawn_blocking(move || {
        let fonts = fonts().ok_or(PngError::NoFont)?;
        draw(&svg, fonts)
    })
    .await?
}

/// The family that Chinese words in pictures are drawn with; none where no font has them. Reads
/// the folders of fonts, which may take a while.
pub(in crate::board) fn chinese_family() -> Option<String> {
    let fonts = fonts()?;
    Some(
        fonts
            .family_name(&usvg::fontdb::Family::SansSerif)
            .to_owned(),
    )
}

fn draw(svg: &str, fonts: Arc<Database>) -> Result<Vec<u8>, PngError> {
    let tree = Tree::from_str(svg, &options(fonts))?;
    let size = tree.size().to_int_size();
    let mut picture = tiny_skia::Pixmap::new(size.width(), size.height())
        .ok_or_else(|| PngError::Png(format!("{}×{}", size.width(), size.height())))?;
    resvg::render(
        &tree,
        tiny_skia::Transform::identity(),
        &mut picture.as_mut(),
    );
    picture
        .encode_png()
        .map_err(|error| PngError::Png(error.to_string()))
}

fn options(fonts: Arc<Database>) -> Options<'static> {
    Options {
        fontdb: fonts,
        ..Options::default()
    }
}

fn fonts() -> Option<Arc<Database>> {
    let mut known = FONTS.lock().unwrap_or_else(PoisonError::into_inner);
    if known.is_none() {
        let mut found = Database::new();
        found.load_system_fonts();
        *known = with_chinese(found);
    }
    known.clone()
}

/// These fonts, where one of them has Chinese characters.
fn with_chinese(mut fonts: Database) -> Option<Arc<Database>> {
    let is_there = |family: &str| {
        let mut faces = fonts.faces();
        faces.any(|face| face.families.iter().any(|(name, _)| name == family))
    };
    if let Some(family) = FAMILIES.into_iter().find(|family| is_there(family)) {
        fonts.set_sans_serif_family(family);
    }
    let fonts = Arc::new(fonts);
    let sample = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"20\">\
                  <text y=\"16\" font-family=\"sans-serif\">催办</text></svg>";
    let tree = Tree::from_str(sample, &options(Arc::clone(&fonts))).ok()?;
    let shown = tree.root().children().iter().any(|node| match node {
        Node::Text(text) => {
            let mut glyphs = text
                .layouted()
                .iter()
                .flat_map(|span| &span.positioned_glyphs);
            // Glyph 0 stands for what a font does not have.
            glyphs.clone().count() > 0 && glyphs.all(|glyph| glyph.id.0 != 0)
        }
        _ => false,
    });
    shown.then_some(fonts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_chinese_font_it_says_what_to_install() {
        assert!(with_chinese(Database::new()).is_none());
        let told = PngError::NoFont.to_string();
        assert!(told.contains("fonts-noto-cjk"), "{told}");
    }
}
