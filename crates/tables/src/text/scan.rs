//! How many fields the records of a text have, and where its quoting is unsound.

/// Counts of fields by record.
#[derive(Debug, Clone)]
pub(super) struct Records {
    pub number: u64,
    header: Option<u64>,
    fields: u64,
    /// Whether the record has anything in it.
    is_blank: bool,
    irregular: bool,
    line: u64,
}

impl Records {
    pub fn new() -> Self {
        Self {
            number: 0,
            header: None,
            fields: 1,
            is_blank: true,
            irregular: false,
            line: 1,
        }
    }

    pub fn end(&mut self) {
        if !self.is_blank {
            self.number += 1;
            match self.header {
                None => self.header = Some(self.fields),
                Some(header) => self.irregular |= header != self.fields,
            }
        }
        self.fields = 1;
        self.is_blank = true;
    }

    pub fn is_regular(&self) -> bool {
        !self.irregular
    }

    pub fn columns(&self) -> u64 {
        self.header.unwrap_or_default()
    }
}

pub(super) struct PlainScan {
    pub records: Records,
    delimiter: u8,
    /// Whether something stands behind the last separator.
    pub in_field: bool,
    pub after_return: bool,
}

impl PlainScan {
    pub fn new(delimiter: u8) -> Self {
        Self {
            records: Records::new(),
            delimiter,
            in_field: false,
            after_return: false,
        }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let after_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    if byte == b'\r' || !after_return {
                        self.records.line += 1;
                    }
                    self.records.end();
                    self.in_field = false;
                }
                byte => {
                    self.records.is_blank = false;
                    self.in_field = byte != self.delimiter;
                    self.records.fields += u64::from(byte == self.delimiter);
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    FieldStart,
    Plain,
    Quoted,
    /// Behind a mark in a quoted field: its end, or the first of two.
    Mark,
    Escaped,
}

pub(super) struct QuotedScan {
    pub records: Records,
    delimiter: u8,
    mark: u8,
    escape: Option<u8>,
    pub at: At,
    pub after_return: bool,
    /// Line in which the last quoted field began.
    opened: u64,
    /// Line of the first field that is not quoted as it begins to be.
    pub unsound: Option<u64>,
    /// Line in which the first field with a line break began.
    pub first_merged: Option<u64>,
}

impl QuotedScan {
    pub fn new(delimiter: u8, mark: u8, escape: Option<u8>) -> Self {
        Self {
            records: Records::new(),
            delimiter,
            mark,
            escape,
            at: At::FieldStart,
            after_return: false,
            opened: 0,
            unsound: None,
            first_merged: None,
        }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        if self.unsound.is_some() {
            return;
        }
        for &byte in bytes {
            let after_return = std::mem::take(&mut self.after_return);
            let is_line_end = matches!(byte, b'\n' | b'\r');
            if is_line_end {
                self.after_return = byte == b'\r';
                self.records.line += u64::from(byte == b'\r' || !after_return);
            } else {
                self.records.is_blank = false;
            }
            self.at = match self.at {
                At::Quoted if byte == self.mark => At::Mark,
                At::Quoted if Some(byte) == self.escape => At::Escaped,
                At::Quoted => {
                    if is_line_end && self.first_merged.is_none() {
                        self.first_merged = Some(self.opened);
                    }
                    At::Quoted
                }
                At::Escaped => At::Quoted,
                At::Mark if byte == self.mark && self.escape.is_none() => At::Quoted,
                At::FieldStart if byte == self.mark => {
                    self.opened = self.records.line;
                    At::Quoted
                }
                _ if is_line_end => {
                    self.records.end();
                    At::FieldStart
                }
                _ if byte == self.delimiter => {
                    self.records.fields += 1;
                    At::FieldStart
                }
                At::Mark => {
                    self.unsound = Some(self.opened);
                    return;
                }
                _ => At::Plain,
            };
        }
    }

    pub fn end(&mut self) {
        if matches!(self.at, At::Quoted | At::Escaped) {
            self.unsound.get_or_insert(self.opened);
        }
        self.records.end();
    }
}
