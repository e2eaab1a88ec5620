//! Names of topics that a capture knows only by id (Fetch v13 and later, KIP-516). MetadataResponses contain
//! the names, and may come anywhere in the capture: when an unknown id occurs, the rest of the input files is
//! read ahead once for such responses alone. This takes memory for one name per topic.

use std::collections::{HashMap, VecDeque};

use memchr::memmem;

use crate::config::{Input, TopicIdNames};
use crate::extract::input::encoding::open;
use crate::extract::input::encoding::open::Opened;
use crate::extract::input::framing::{Framer, RrPairText};
use crate::extract::rrpair::walk::found::MOST_TOPICS;
use crate::record::TopicId;

/// What is known, and where to find more.
#[derive(Debug, Default)]
pub(in crate::extract) struct TopicIds {
    /// The names in the capture.
    names: HashMap<TopicId, String>,
    /// The names that the user gives, which take precedence.
    given: TopicIdNames,
    /// Inputs that have not been read ahead yet.
    ahead: VecDeque<Input>,
    /// Whether an input cannot be read ahead.
    reads_streams: bool,
}

impl TopicIds {
    /// Reads ahead in `inputs` when it has to; it cannot in stdin.
    pub(in crate::extract) fn over(
        given: &TopicIdNames,
        inputs: impl IntoIterator<Item = Input>,
    ) -> Self {
        let ahead: VecDeque<Input> = inputs.into_iter().collect();
        Self {
            names: HashMap::new(),
            given: given.clone(),
            reads_streams: ahead.iter().any(|input| !open::is_regular_file(input)),
            ahead,
        }
    }

    pub(in crate::extract) fn learn(&mut self, id: TopicId, name: String) {
        if self.names.len() < MOST_TOPICS || self.names.contains_key(&id) {
            self.names.insert(id, name);
        }
    }

    /// The name of `id`, as far as it is known by now.
    pub(in crate::extract) fn known(&self, id: TopicId) -> Option<&str> {
        let captured = || self.names.get(&id).map(String::as_str);
        self.given.name(id).or_else(captured)
    }

    /// Whether a name may still come: inputs that cannot be read ahead reveal theirs when they are read.
    pub(in crate::extract) fn may_still_learn(&self, id: TopicId) -> bool {
        self.reads_streams && self.known(id).is_none()
    }

    /// The name of `id`, if the capture contains it. `learn_from` reads one RRPair and calls
    /// [`TopicIds::learn`] for what it finds.
    pub(in crate::extract) fn name(
        &mut self,
        id: TopicId,
        learn_from: impl Fn(&str, &mut Self),
    ) -> Option<&str> {
        while self.known(id).is_none()
            && let Some(input) = self.ahead.pop_front()
        {
            self.read_ahead(&input, &learn_from);
        }
        self.known(id)
    }

    /// Reads `input` ahead. The actual reading reports trouble with it.
    fn read_ahead(&mut self, input: &Input, learn_from: impl Fn(&str, &mut Self)) {
        if *input == Input::Stdin || !open::is_regular_file(input) {
            return;
        }
        let Ok(Opened { reader, .. }) = open::open(input) else {
            return;
        };
        let response = memmem::Finder::new("\"MetadataResponse\"");
        let mut learn = |text: RrPairText<'_>| {
            if let RrPairText::Whole(bytes) = text
                && response.find(bytes).is_some()
                && let Ok(text) = std::str::from_utf8(bytes)
            {
                learn_from(text, self);
            }
        };
        let mut texts = Framer::new(reader);
        loop {
            while let Some((_, text)) = texts.next_buffered() {
                learn(text);
            }
            if !matches!(texts.refill(), Ok(true)) {
                break;
            }
        }
        if let Some((_, text)) = texts.remainder() {
            learn(text);
        }
    }
}
