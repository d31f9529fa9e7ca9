//! A Jupyter notebook: the text of its Markdown cells, with the place of each byte in the file. The JSON is read as far as
//! that needs it, without recursion.

/// The text of the cells and where it comes from.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    /// The Markdown cells, one after the other.
    pub text: String,
    /// For each byte of the text its place in the file, and one more for the end.
    pub places: Vec<u32>,
}

/// The Markdown cells of a notebook.
///
/// # Errors
/// What is no JSON of a notebook, in words.
pub fn cells(source: &str) -> Result<Cells, String> {
    let mut out = Cells::default();
    let mut reader = Json { source, at: 0 };
    let mut depth = 0_usize;
    // Keys on the way: only `cells[].cell_type` and `cells[].source` matter, at depth 3.
    let mut key: Option<String> = None;
    let mut is_markdown = false;
    let mut cell: Vec<Text> = Vec::new();
    let mut cells_seen = false;
    let mut in_source = false;
    let mut in_cells = false;
    loop {
        reader.skip_blanks();
        let Some(c) = reader.peek() else { break };
        match c {
            '{' | '[' => {
                depth += 1;
                if depth == 2 && c == '[' && key.as_deref() == Some("cells") {
                    (in_cells, cells_seen) = (true, true);
                }
                in_source = depth == 4 && in_cells && key.as_deref() == Some("source");
                if depth == 3 && in_cells {
                    (is_markdown, cell) = (false, Vec::new());
                }
                key = None;
                reader.at += 1;
            }
            '}' | ']' => {
                if depth == 3 && in_cells && is_markdown {
                    for text in cell.drain(..) {
                        out.text.push_str(&text.text);
                        out.places.extend(text.places);
                    }
                    out.text.push_str("\n\n");
                    out.places.extend([reader.at as u32; 2]);
                }
                if depth == 4 {
                    in_source = false;
                }
                if depth == 2 && c == ']' {
                    in_cells = false;
                }
                depth = depth.checked_sub(1).ok_or("the notebook's JSON has a bracket too many")?;
                key = None;
                reader.at += 1;
            }
            '"' => {
                let text = reader.string()?;
                reader.skip_blanks();
                if reader.peek() == Some(':') {
                    reader.at += 1;
                    key = Some(text.text);
                    continue;
                }
                let of_cell = depth == 3 && in_cells;
                if of_cell && key.as_deref() == Some("cell_type") {
                    is_markdown = text.text == "markdown";
                } else if in_source || of_cell && key.as_deref() == Some("source") {
                    cell.push(text);
                }
                if !in_source {
                    key = None;
                }
            }
            _ => reader.at += c.len_utf8(),
        }
    }
    if depth > 0 {
        return Err("the notebook's JSON ends too early".to_owned());
    }
    if !cells_seen {
        return Err("this is no notebook: it has no `cells`".to_owned());
    }
    out.places.push(source.len() as u32);
    Ok(out)
}

struct Text {
    text: String,
    places: Vec<u32>,
}

struct Json<'a> {
    source: &'a str,
    at: usize,
}

impl Json<'_> {
    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    fn skip_blanks(&mut self) {
        let rest = &self.source[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn string(&mut self) -> Result<Text, String> {
        self.at += 1;
        let mut out = Text { text: String::new(), places: Vec::new() };
        loop {
            let start = self.at;
            let Some(c) = self.peek() else { return Err("the notebook's JSON ends inside a text".to_owned()) };
            self.at += c.len_utf8();
            let decoded = match c {
                '"' => return Ok(out),
                '\\' => {
                    let Some(escaped) = self.peek() else { continue };
                    self.at += escaped.len_utf8();
                    match escaped {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'b' | 'f' => ' ',
                        'u' => {
                            let code =
                                self.source.get(self.at..self.at + 4).and_then(|h| u32::from_str_radix(h, 16).ok());
                            self.at = (self.at + 4).min(self.source.len());
                            while !self.source.is_char_boundary(self.at) {
                                self.at += 1;
                            }
                            self.surrogates(code.unwrap_or(0xfffd))
                        }
                        other => other,
                    }
                }
                c => c,
            };
            out.text.push(decoded);
            out.places.extend(std::iter::repeat_n(start as u32, decoded.len_utf8()));
        }
    }

    /// Two `\u` escapes may make one character.
    fn surrogates(&mut self, first: u32) -> char {
        if (0xd800..0xdc00).contains(&first)
            && let Some(rest) = self.source.get(self.at..self.at + 6)
            && let Some(second) = rest.strip_prefix("\\u").and_then(|h| u32::from_str_radix(h, 16).ok())
            && (0xdc00..0xe000).contains(&second)
        {
            self.at += 6;
            return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).unwrap_or('\u{fffd}');
        }
        char::from_u32(first).unwrap_or('\u{fffd}')
    }
}

#[cfg(test)]
mod tests {
    use super::cells;

    #[test]
    fn markdown_cells_are_read_with_their_places() {
        let source = r##"{"cells": [{"cell_type": "code", "source": ["no"]},
 {"cell_type": "markdown", "metadata": {"a": ["b"]}, "source": ["$$x =\n", "\\frac{a}{b}$$"]},
 {"source": "y \u03bb", "cell_type": "markdown"}], "nbformat": 4}"##;
        let found = cells(source).unwrap();
        assert_eq!(found.text, "$$x =\n\\frac{a}{b}$$\n\ny λ\n\n");
        assert_eq!(found.places.len(), found.text.len() + 1);
        let at = found.text.find("frac").unwrap();
        assert!(source[found.places[at] as usize..].starts_with("frac"));
        for wrong in ["{", "{}", "[]]", "{\"cells\": [\"", "\"\\"] {
            assert!(cells(wrong).is_err(), "{wrong}");
        }
    }
}
