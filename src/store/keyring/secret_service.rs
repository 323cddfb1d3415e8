//! Checks of the Linux Secret Service that must come before its use, without opening a session or a prompt.
//!
//! The keyring crate prompts whenever something is locked, waits forever, and reports a missing collection as "no
//! entry". These few calls distinguish the cases first. They also reach the service before `OpenSession` does, which
//! as the first call can abort gnome-keyring (its issues 190, 196 and 199).

use std::collections::HashMap;

use zbus::blocking::{Connection, MessageIterator};
use zbus::message::{Message, Type};
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue};

use super::error::KeyringError;

const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";

/// The null object path of the Secret Service API.
const NO_OBJECT: &str = "/";

/// A connection to the session bus, for items with one `service` attribute.
pub(super) struct SecretService {
    bus: Connection,
    service: &'static str,
}

impl SecretService {
    /// Connects to the bus; the service itself is not called yet.
    pub(super) fn connect(service: &'static str) -> Result<Self, KeyringError> {
        let bus = Connection::session().map_err(KeyringError::no_bus)?;
        Ok(Self { bus, service })
    }

    /// Unlocks what the item needs and returns whether the item exists. `on_prompt` is called before a prompt opens;
    /// without it none opens, and what is locked is an error.
    pub(super) fn prepare(&self, id: &str, on_prompt: Option<&dyn Fn()>) -> Result<bool, KeyringError> {
        let (unlocked, locked) = self.search(id)?;
        if !locked.is_empty() {
            return self.unlock(&locked, on_prompt).map(|()| true);
        }
        if !unlocked.is_empty() {
            return Ok(true);
        }
        // Some services don't search what is locked: only an unlocked collection can report "not found".
        let collection = self.default_collection()?;
        if !self.is_locked(&collection)? {
            return Ok(false);
        }
        self.unlock(&[collection], on_prompt)?;
        let (unlocked, locked) = self.search(id)?;
        Ok(!unlocked.is_empty() || !locked.is_empty())
    }

    /// Returns the collection that new items go to.
    pub(super) fn default_collection(&self) -> Result<OwnedObjectPath, KeyringError> {
        let path: OwnedObjectPath = body(&self.call(PATH, "Service", "ReadAlias", &("default",))?)?;
        if path.as_str() == NO_OBJECT { Err(KeyringError::NoCollection) } else { Ok(path) }
    }

    /// Returns whether the collection must be unlocked before its items can be read.
    pub(super) fn is_locked(&self, collection: &OwnedObjectPath) -> Result<bool, KeyringError> {
        let property = ("org.freedesktop.Secret.Collection", "Locked");
        let response = self.bus.call_method(
            Some(NAME),
            collection.as_str(),
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &property,
        );
        let value: OwnedValue = body(&response.map_err(into_error)?)?;
        bool::try_from(value).map_err(KeyringError::failed)
    }

    /// Returns the unlocked and the locked items of this ID.
    fn search(&self, id: &str) -> Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>), KeyringError> {
        let attributes = HashMap::from([("service", self.service), ("username", id)]);
        body(&self.call(PATH, "Service", "SearchItems", &(attributes,))?)
    }

    fn unlock(&self, objects: &[OwnedObjectPath], on_prompt: Option<&dyn Fn()>) -> Result<(), KeyringError> {
        let response = self.call(PATH, "Service", "Unlock", &(objects,))?;
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = body(&response)?;
        if prompt.as_str() == NO_OBJECT {
            return Ok(());
        }
        let Some(on_prompt) = on_prompt else {
            let _ = self.call(prompt.as_str(), "Prompt", "Dismiss", &());
            return Err(KeyringError::Locked);
        };
        on_prompt();
        self.complete_prompt(&prompt)
    }

    /// Shows the prompt and waits for the user without a limit: the deadline is the caller's.
    fn complete_prompt(&self, prompt: &OwnedObjectPath) -> Result<(), KeyringError> {
        let rule = zbus::MatchRule::builder()
            .msg_type(Type::Signal)
            .interface("org.freedesktop.Secret.Prompt")
            .and_then(|rule| rule.member("Completed"))
            .and_then(|rule| rule.path(prompt.as_str()))
            .map_err(into_error)?
            .build();
        let mut completed = MessageIterator::for_match_rule(rule, &self.bus, Some(1)).map_err(into_error)?;
        self.call(prompt.as_str(), "Prompt", "Prompt", &("",))?;
        let signal = completed.next().ok_or(KeyringError::PromptDismissed)?.map_err(into_error)?;
        let (dismissed, _): (bool, OwnedValue) = body(&signal)?;
        if dismissed { Err(KeyringError::PromptDismissed) } else { Ok(()) }
    }

    fn call<B>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        arguments: &B,
    ) -> Result<Message, KeyringError>
    where
        B: serde::Serialize + DynamicType,
    {
        let interface = format!("org.freedesktop.Secret.{interface}");
        self.bus.call_method(Some(NAME), path, Some(interface), method, arguments).map_err(into_error)
    }
}

fn body<T>(message: &Message) -> Result<T, KeyringError>
where
    T: serde::de::DeserializeOwned + zbus::zvariant::Type,
{
    message.body().deserialize().map_err(KeyringError::failed)
}

fn into_error(error: zbus::Error) -> KeyringError {
    let zbus::Error::MethodError(name, _, _) = &error else { return KeyringError::failed(error) };
    match name.rsplit('.').next().unwrap_or_default() {
        "ServiceUnknown" | "ServiceNotFound" | "NameHasNoOwner" => KeyringError::NoService,
        "IsLocked" => KeyringError::Locked,
        _ => KeyringError::failed(error),
    }
}
