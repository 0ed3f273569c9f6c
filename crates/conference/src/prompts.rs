//! Canned private messages between the desks and a site.

use crate::{Actor, Event, Refusal, Setup, words::PromptKind};
use diemcau_model::{Millis, PromptId, Role, SiteId, limits};

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
        from_site: bool,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        setup.site(site).ok_or(Refusal::UnknownSite)?;
        if kind.is_from_site() != from_site {
            return Err(Refusal::NotAllowed);
        }
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

    /// A site sees to what it is told, the desks to what a site says.
    pub(crate) fn decide_handle(
        &self,
        actor: &Actor,
        id: PromptId,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let prompt = self.prompts.iter().find(|prompt| prompt.id == id);
        let prompt = prompt.ok_or(Refusal::UnknownPrompt)?;
        let is_site = actor.role == Role::Moderator;
        if is_site && actor.site != Some(prompt.site) {
            return Err(Refusal::OtherSite);
        }
        if is_site == prompt.kind.is_from_site() {
            return Err(Refusal::NotAllowed);
        }
        if prompt.handled.is_some() {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::PromptHandled {
            prompt: id,
            at: now,
        }])
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
