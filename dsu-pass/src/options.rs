//! What the plugin is told: `-Xclang -mllvm -Xclang -dsu=KEY=VALUE,...`, behind `-Xclang -load -Xclang PLUGIN`,
//! which makes the option known. The wrapper writes it with [`Options::to_argument`], the plugin reads it with
//! [`Options::from_str`].

use std::path::PathBuf;
use std::str::FromStr;

use dsu_abi::stub::Dispatch;

/// Options of one compilation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `dispatch=armed|always`.
    pub dispatch: Dispatch,
    /// `strip-debug`: the object gets no debug information, although the stored bitcode has it.
    pub strip_debug: bool,
    /// `verbose`: functions left alone are reported to the standard error.
    pub verbose: bool,
    /// `list=PATH`: special-case list of functions and sources to leave alone.
    pub list: Option<PathBuf>,
    /// `points=PATH`: adds to, and takes away from, the places found where threads may move.
    pub points: Option<PathBuf>,
    /// `outline-loops=on|off`: whether the bodies of loops in which threads wait become functions.
    pub outline_loops: bool,
    /// `log=PATH`: functions left alone are appended there.
    pub log: Option<PathBuf>,
    /// `directory=PATH`: the compilation directory; source paths are stored relative to it.
    pub directory: Option<PathBuf>,
    /// `flag=ARGUMENT`, once for each code-relevant compiler argument, in order.
    pub flags: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dispatch: Dispatch::Armed,
            strip_debug: false,
            verbose: false,
            list: None,
            points: None,
            outline_loops: true,
            log: None,
            directory: None,
            flags: Vec::new(),
        }
    }
}

/// An option that is not understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OptionsError {
    /// No such key.
    #[error(
        "`-mllvm -dsu=`: unknown key `{0}`; the keys are dispatch, strip-debug, verbose, list, points, outline-loops, log, directory, flag"
    )]
    UnknownKey(String),
    /// A key that wants a value, or does not.
    #[error("`-mllvm -dsu=`: key `{0}` {1}")]
    Value(String, &'static str),
}

impl FromStr for Options {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let mut options = Self::default();
        for item in text.split(',').filter(|item| !item.is_empty()) {
            match item.split_once('=') {
                Some((key, value)) => options.set(key, decode(value))?,
                None => options.switch_on(item)?,
            }
        }
        Ok(options)
    }
}

impl Options {
    fn set(&mut self, key: &str, value: String) -> Result<(), OptionsError> {
        match key {
            "dispatch" => self.dispatch = dispatch(&value)?,
            "list" => self.list = Some(value.into()),
            "points" => self.points = Some(value.into()),
            "outline-loops" => self.outline_loops = on(&value)?,
            "log" => self.log = Some(value.into()),
            "directory" => self.directory = Some(value.into()),
            "flag" => self.flags.push(value),
            "strip-debug" | "verbose" => return Err(OptionsError::Value(key.into(), "takes no value")),
            _ => return Err(OptionsError::UnknownKey(key.into())),
        }
        Ok(())
    }

    fn switch_on(&mut self, key: &str) -> Result<(), OptionsError> {
        match key {
            "strip-debug" => self.strip_debug = true,
            "verbose" => self.verbose = true,
            "dispatch" | "list" | "points" | "outline-loops" | "log" | "directory" | "flag" => {
                return Err(OptionsError::Value(key.into(), "needs a value: `KEY=VALUE`"));
            }
            _ => return Err(OptionsError::UnknownKey(key.into())),
        }
        Ok(())
    }

    /// The text behind `-mllvm -dsu=` that says this.
    pub fn to_argument(&self) -> String {
        let mut items = vec![format!("dispatch={}", name(self.dispatch))];
        items.extend(self.strip_debug.then(|| "strip-debug".to_owned()));
        items.extend(self.verbose.then(|| "verbose".to_owned()));
        items.extend((!self.outline_loops).then(|| "outline-loops=off".to_owned()));
        let paths =
            [("list", &self.list), ("points", &self.points), ("log", &self.log), ("directory", &self.directory)];
        for (key, path) in paths {
            items.extend(path.as_ref().map(|path| format!("{key}={}", encode(&path.to_string_lossy()))));
        }
        items.extend(self.flags.iter().map(|flag| format!("flag={}", encode(flag))));
        items.join(",")
    }
}

fn dispatch(value: &str) -> Result<Dispatch, OptionsError> {
    match value {
        "armed" => Ok(Dispatch::Armed),
        "always" => Ok(Dispatch::Always),
        _ => Err(OptionsError::Value("dispatch".into(), "must be `armed` or `always`")),
    }
}

fn on(value: &str) -> Result<bool, OptionsError> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(OptionsError::Value("outline-loops".into(), "must be `on` or `off`")),
    }
}

/// A dispatch as options and metadata spell it.
pub fn name(dispatch: Dispatch) -> &'static str {
    match dispatch {
        Dispatch::Armed => "armed",
        Dispatch::Always => "always",
    }
}

/// A comma would end the value.
fn encode(value: &str) -> String {
    value.replace('%', "%25").replace(',', "%2C")
}

fn decode(value: &str) -> String {
    value.replace("%2C", ",").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let options = Options {
            dispatch: Dispatch::Always,
            strip_debug: true,
            verbose: true,
            list: Some("a,b%2C.txt".into()),
            points: Some("p".into()),
            outline_loops: false,
            log: Some("/tmp/l=g".into()),
            directory: Some("/src".into()),
            flags: vec!["-O2".into(), "-DX=1,2".into()],
        };
        assert_eq!(options.to_argument().parse(), Ok(options));
        assert_eq!("".parse(), Ok(Options::default()));
    }

    #[test]
    fn what_is_not_understood_names_the_key() {
        for (text, key) in [("colour=red", "colour"), ("dispatch=never", "dispatch"), ("list", "list")] {
            let error = text.parse::<Options>().expect_err("must be refused").to_string();
            assert!(error.contains(&format!("`{key}`")), "{error}");
        }
    }
}
