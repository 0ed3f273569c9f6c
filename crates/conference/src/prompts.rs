//! Canned private messages between the desks and a site.

use crate::{Event, Refusal, Setup, words::PromptKind};
use diemcau_model::{Millis, PromptId, SiteId, limits};

/// The part of the state that is about prompts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompts {
    /// In the order in which they were given; handled ones are forgotten first.
    pub prompts: Vec<Prompt>,
    taken: u32,
}

/// A private message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Its number.
    pub id: PromptId,
    /// The site it is to or from.
    pub site: SiteId,
    /// What it says.
    pub kind: PromptKind,
    /// When.
    pub at: Millis,
    /// When it was seen to.
    pub handled: Option<Millis>,
}

impl Prompts {
    pub(crate) fn decide_prompt(
        &self,
        setup: &Setup,
        site: SiteId,
        kind: PromptKind,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        setup.site(site).ok_or(Refusal::UnknownSite)?;
        let open = |prompt: &&Prompt| prompt.site == site && prompt.handled.is_none();
        let mut waiting = self.prompts.iter().filter(open);
        if waiting.clone().any(|prompt| prompt.kind == kind) {
            return Err(Refusal::AlreadySo);
        }
        if waiting.nth(limits::PROMPTS_PER_SITE_MAX - 1).is_some() {
            return Err(Refusal::QueueFull);
        }
        Ok(vec![Event::Prompted {
            prompt: PromptId(self.taken + 1),
            site,
            kind,
            at: now,
        }])
    }

    pub(crate) fn decide_handle(&self, id: PromptId, now: Millis) -> Result<Vec<Event>, Refusal> {
        let prompt = self.find(id).ok_or(Refusal::UnknownPrompt)?;
        if prompt.handled.is_some() {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::PromptHandled {
            prompt: id,
            at: now,
        }])
    }

    pub(crate) fn find(&self, id: PromptId) -> Option<&Prompt> {
        self.prompts.iter().find(|prompt| prompt.id == id)
    }

    pub(crate) fn prompted(&mut self, prompt: Prompt) {
        self.taken = self.taken.max(prompt.id.0);
        self.prompts.push(prompt);
        if self.prompts.len() > limits::PROMPTS_MAX {
            let handled = self.prompts.iter().position(|one| one.handled.is_some());
            self.prompts.remove(handled.unwrap_or(0));
        }
    }

    pub(crate) fn handled(&mut self, id: PromptId, at: Millis) {
        if let Some(prompt) = self.prompts.iter_mut().find(|prompt| prompt.id == id) {
            prompt.handled = Some(at);
        }
    }
}
