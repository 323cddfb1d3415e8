//! What must be known of the Linux Secret Service before it is used, asked without opening a session or a prompt.
//!
//! The keyring crate prompts whenever something is locked, waits for ever, and calls a missing collection "no
//! entry". These few calls tell the cases apart first. They also reach the service before `OpenSession` does, which
//! as the first call can abort gnome-keyring (its issues 190, 196 and 199).

use std::collections::HashMap;

use zbus::blocking::{Connection, MessageIterator};
use zbus::message::{Message, Type};
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue};

use super::backend::SERVICE;
use super::error::KeyringError;

const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";

/// "Nothing" where the protocol must give an object path.
const NOTHING: &str = "/";

/// A connection to the session bus.
pub(super) struct Bus(Connection);

impl Bus {
    /// Connects; the service itself is not asked yet.
    pub(super) fn connect() -> Result<Self, KeyringError> {
        Connection::session().map(Self).map_err(KeyringError::no_bus)
    }

    /// Whether the item is there, after everything that it needs is unlocked. `ask` is called before a prompt
    /// opens; without it there is none, and what is locked is an error.
    pub(super) fn prepare(&self, id: &str, ask: Option<&dyn Fn()>) -> Result<bool, KeyringError> {
        let (unlocked, locked) = self.search(id)?;
        if !locked.is_empty() {
            return self.unlock(&locked, ask).map(|()| true);
        }
        if !unlocked.is_empty() {
            return Ok(true);
        }
        // Some services don't search what is locked: only an open collection can say "not found".
        let collection = self.default_collection()?;
        if !self.is_locked(&collection)? {
            return Ok(false);
        }
        self.unlock(&[collection], ask)?;
        let (unlocked, locked) = self.search(id)?;
        Ok(!unlocked.is_empty() || !locked.is_empty())
    }

    /// The collection that new items go to.
    pub(super) fn default_collection(&self) -> Result<OwnedObjectPath, KeyringError> {
        let path: OwnedObjectPath = body(&self.call(PATH, "Service", "ReadAlias", &("default",))?)?;
        if path.as_str() == NOTHING { Err(KeyringError::NoCollection) } else { Ok(path) }
    }

    /// Whether the collection must be unlocked before its items can be read.
    pub(super) fn is_locked(&self, collection: &OwnedObjectPath) -> Result<bool, KeyringError> {
        let asked = ("org.freedesktop.Secret.Collection", "Locked");
        let answer = self.0.call_method(
            Some(NAME),
            collection.as_str(),
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &asked,
        );
        let value: OwnedValue = body(&answer.map_err(fault)?)?;
        bool::try_from(value).map_err(KeyringError::failed)
    }

    fn search(&self, id: &str) -> Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>), KeyringError> {
        let attributes = HashMap::from([("service", SERVICE), ("username", id)]);
        body(&self.call(PATH, "Service", "SearchItems", &(attributes,))?)
    }

    fn unlock(&self, objects: &[OwnedObjectPath], ask: Option<&dyn Fn()>) -> Result<(), KeyringError> {
        let answer = self.call(PATH, "Service", "Unlock", &(objects,))?;
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = body(&answer)?;
        if prompt.as_str() == NOTHING {
            return Ok(());
        }
        let Some(ask) = ask else {
            let _ = self.call(prompt.as_str(), "Prompt", "Dismiss", &());
            return Err(KeyringError::Locked);
        };
        ask();
        self.answer(&prompt)
    }

    /// Shows the prompt and waits for the person, without a limit: the deadline is the caller's.
    fn answer(&self, prompt: &OwnedObjectPath) -> Result<(), KeyringError> {
        let rule = zbus::MatchRule::builder()
            .msg_type(Type::Signal)
            .interface("org.freedesktop.Secret.Prompt")
            .and_then(|rule| rule.member("Completed"))
            .and_then(|rule| rule.path(prompt.as_str()))
            .map_err(fault)?
            .build();
        let mut completed = MessageIterator::for_match_rule(rule, &self.0, Some(1)).map_err(fault)?;
        self.call(prompt.as_str(), "Prompt", "Prompt", &("",))?;
        let signal = completed.next().ok_or(KeyringError::Dismissed)?.map_err(fault)?;
        let (dismissed, _): (bool, OwnedValue) = body(&signal)?;
        if dismissed { Err(KeyringError::Dismissed) } else { Ok(()) }
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
        self.0.call_method(Some(NAME), path, Some(interface), method, arguments).map_err(fault)
    }
}

fn body<T>(message: &Message) -> Result<T, KeyringError>
where
    T: serde::de::DeserializeOwned + zbus::zvariant::Type,
{
    message.body().deserialize().map_err(KeyringError::failed)
}

fn fault(error: zbus::Error) -> KeyringError {
    let zbus::Error::MethodError(name, _, _) = &error else { return KeyringError::failed(error) };
    match name.rsplit('.').next().unwrap_or_default() {
        "ServiceUnknown" | "ServiceNotFound" | "NameHasNoOwner" => KeyringError::NoService,
        "IsLocked" => KeyringError::Locked,
        _ => KeyringError::failed(error),
    }
}
