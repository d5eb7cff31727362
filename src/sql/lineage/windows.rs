//! Windows that a select names.

use std::sync::Arc;

use super::made::Value;
use super::select::Walker;
use crate::diagnostic::Diagnostic;
use crate::sql::code;
use crate::sql::tree::{Ident, Select, WindowSpec};

/// A window that is named in reach.
pub(super) struct Window {
    name: String,
    spec: Arc<WindowSpec>,
    /// The window that it builds on.
    base: Option<usize>,
    /// What it is made of, once it was used.
    value: Option<Value>,
}

impl Walker<'_> {
    /// The value of a window that is named in reach.
    pub fn named_window(&mut self, name: &str) -> Option<Value> {
        let mut place = *self.window_places.get(name)?.last()?;
        // Down to one whose value is known, and up again: each is looked at once.
        let mut chain = Vec::new();
        let mut value = loop {
            let window = self.windows.get(place)?;
            if let Some(value) = &window.value {
                break value.clone();
            }
            chain.push(place);
            match window.base {
                Some(base) => place = base,
                None => break Value::default(),
            }
        };
        while let Some(place) = chain.pop() {
            let spec = Arc::clone(&self.windows.get(place)?.spec);
            value.add(self.window_parts(&spec));
            if let Some(window) = self.windows.get_mut(place) {
                window.value = Some(value.clone());
            }
        }
        Some(value)
    }

    /// Makes the windows of a select known, and says which of them are there twice or build on none. Returns how many there
    /// were before.
    pub fn define_windows(&mut self, select: &Select) -> usize {
        let before = self.windows.len();
        for (name, window) in &select.windows {
            let own = |walker: &Self| walker.window_places.get(&name.name).and_then(|places| places.last()).copied();
            if own(self).is_some_and(|place| place >= before) {
                let text = format!("window `{}` is named twice", name.name);
                let help = "give one of them another name";
                self.notes.push(Diagnostic::error(code::WINDOW, text).at(name.span, "again").help(help));
            }
            self.define_window(name, window);
        }
        for (_, window) in &select.windows {
            if let Some(base) = &window.base {
                self.know_window(base);
            }
        }
        before
    }

    /// Windows build on earlier ones only, so none can build on itself.
    fn define_window(&mut self, name: &Ident, spec: &WindowSpec) {
        let places = |walker: &Self, name: &str| walker.window_places.get(name).and_then(|p| p.last().copied());
        let base = spec.base.as_ref().and_then(|base| places(self, &base.name));
        self.window_places.entry(name.name.clone()).or_default().push(self.windows.len());
        self.windows.push(Window { name: name.name.clone(), spec: Arc::new(spec.clone()), base, value: None });
    }

    /// Says so if no window in reach has that name.
    pub fn know_window(&mut self, name: &Ident) {
        if self.window_places.get(&name.name).is_none_or(Vec::is_empty) {
            let text = format!("no window is named `{}`", name.name);
            let help =
                format!("correct the name, or define it behind the query's conditions: WINDOW {} AS (...)", name.name);
            self.notes.push(Diagnostic::error(code::WINDOW, text).at(name.span, "not found").help(help));
        }
    }

    /// Leaves the windows of a select, those that nothing used having been looked at as well.
    pub fn forget_windows(&mut self, select: &Select, down_to: usize) {
        for (name, _) in &select.windows {
            self.named_window(&name.name);
        }
        for window in self.windows.drain(down_to.min(self.windows.len())..) {
            self.window_places.get_mut(&window.name).and_then(Vec::pop);
        }
    }
}
