//! The nesting of JSON text, measured before any recursive parser sees it.

/// Tells whether arrays and objects in `json` are nested deeper than `limit`. The text need not be well formed.
pub(super) fn exceeds(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::exceeds;

    #[test]
    fn brackets_count_outside_of_text_only() {
        assert!(!exceeds(br#"{"a":["[[[[[\"[[["]}"#, 2));
        assert!(exceeds(br#"{"a\"":[[]]}"#, 2));
        assert!(exceeds(&[b'['; 10_000], 64));
        assert!(!exceeds(b"]]]][[", 2));
    }
}
