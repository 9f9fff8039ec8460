//! The pictures of the sample: small harbours, each drawn from its number.

/// The width of a picture in pixels.
const WIDTH: u32 = 256;

/// The height of a picture in pixels.
const HEIGHT: u32 = 170;

/// Draws picture `number` as PNG: sky, sun, hills and water in colours of its own.
///
/// # Errors
/// What the encoder gave; writing to memory does not fail.
pub fn harbour(number: u32) -> Result<Vec<u8>, png::EncodingError> {
    let scene = Scene::of(number);
    let pixels: Vec<u8> = (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| scene.colour(x, y))).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// What a picture is made of.
#[derive(Clone, Copy)]
struct Scene {
    hue: f32,
    sun: (f32, f32, f32),
    swing: f32,
    phase: f32,
}

impl Scene {
    fn of(number: u32) -> Self {
        let part = |salt: u32| (number.wrapping_mul(2_654_435_761).rotate_left(salt) & 0xffff) as f32 / 65_535.0;
        Self {
            hue: part(3),
            sun: (
                WIDTH as f32 * (0.15 + 0.7 * part(7)),
                HEIGHT as f32 * (0.15 + 0.25 * part(11)),
                14.0 + 22.0 * part(13),
            ),
            swing: 0.015 + 0.03 * part(17),
            phase: 6.0 * part(19),
        }
    }

    fn colour(self, x: u32, y: u32) -> [u8; 3] {
        let (x, y, height) = (x as f32, y as f32, HEIGHT as f32);
        let horizon = height * 0.62;
        let (dx, dy) = (x - self.sun.0, y - self.sun.1);
        if y > horizon {
            let glint = ((x * 0.21 + y * 1.3 + self.phase).sin() * (y * 0.45).cos()).max(0.0);
            return shade(self.hue + 0.08, 0.55, 0.35 + 0.25 * glint + 0.2 * (y - horizon) / height);
        }
        if dx * dx + dy * dy < self.sun.2 * self.sun.2 {
            return shade(0.13, 0.75, 0.97);
        }
        let hill =
            horizon - 26.0 * (1.0 + (x * self.swing + self.phase).sin()) - 10.0 * (x * self.swing * 2.7).sin().abs();
        if y > hill {
            return shade(self.hue + 0.3, 0.4, 0.3 + 0.15 * (y - hill) / height);
        }
        shade(self.hue, 0.35 + 0.3 * (1.0 - y / horizon), 0.78 + 0.2 * y / horizon)
    }
}

/// Returns a colour from hue, saturation and value, each between 0 and 1.
fn shade(hue: f32, saturation: f32, value: f32) -> [u8; 3] {
    [5.0, 3.0, 1.0].map(|offset| {
        let k = (offset + hue.fract() * 6.0) % 6.0;
        let part = value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0);
        (part.clamp(0.0, 1.0) * 255.0) as u8
    })
}
