//! The SOCIAL-POSTS vertical: `SocialActivity`.

use model::item::{Activity, ActivityKind, Actor, Attachment, AttachmentKind, Fields, Place};
use model::{DataType, Item, Problem, Result};
use serde::{Deserialize, Serialize};

use super::envelope::{Losses, Parsed, missing, unfit};
use super::lenient::scalar;
use super::time::Time;

/// One published activity, and who published it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SocialActivity {
    #[serde(rename = "@type", skip_deserializing)]
    kind: &'static str,
    metadata: Option<Metadata>,
    activity: Option<ActivityModel>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Metadata {
    #[serde(rename = "@type", skip_deserializing)]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<ActorModel>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct ActorModel {
    #[serde(rename = "@type", skip_deserializing)]
    kind: &'static str,
    #[serde(deserialize_with = "scalar")]
    id: Option<String>,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct ActivityModel {
    #[serde(rename = "@type", skip_deserializing)]
    kind: &'static str,
    #[serde(deserialize_with = "scalar")]
    id: Option<String>,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    published: Option<Time>,
    #[serde(rename = "type", deserialize_with = "scalar")]
    activity_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<Vec<AttachmentModel>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<LocationModel>,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(deserialize_with = "scalar")]
    content: Option<String>,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct AttachmentModel {
    #[serde(rename = "@type", skip_deserializing)]
    kind: &'static str,
    #[serde(rename = "type", deserialize_with = "scalar")]
    attachment_type: Option<String>,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(deserialize_with = "scalar")]
    name: Option<String>,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct LocationModel {
    #[serde(rename = "@type", skip_deserializing)]
    kind: &'static str,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(deserialize_with = "scalar")]
    longitude: Option<f64>,
    #[serde(deserialize_with = "scalar")]
    latitude: Option<f64>,
}

impl SocialActivity {
    pub fn of(item: &Item, losses: &mut Losses) -> Result<Self> {
        let Fields::Activity(activity) = &item.fields else { return Err(unfit(item)) };
        losses.note_if(activity.kind == ActivityKind::Share, "that it re-shares somebody else's post");
        losses.note_if(activity.in_reply_to.is_some(), "what it answers to");
        losses.note_if(!item.containers.is_empty(), "what it lies in");
        Ok(Self {
            kind: "SocialActivity",
            metadata: Some(Metadata {
                kind: "SocialActivityMetadata",
                actor: activity.actor.as_ref().map(ActorModel::of),
            }),
            activity: Some(ActivityModel {
                kind: "SocialActivityModel",
                id: Some(item.id.clone()),
                published: item.created.map(Time::from),
                activity_type: Some(type_name(activity.kind).to_owned()),
                attachments: (!activity.attachments.is_empty())
                    .then(|| activity.attachments.iter().map(AttachmentModel::of).collect()),
                location: activity.place.as_ref().map(LocationModel::of),
                title: activity.title.clone(),
                // The schema requires it.
                content: Some(activity.content.clone().unwrap_or_default()),
                url: activity.url.clone(),
            }),
        })
    }
}

impl TryFrom<SocialActivity> for Parsed {
    type Error = Problem;

    fn try_from(social: SocialActivity) -> Result<Self> {
        let sent = social.activity.ok_or_else(|| missing("payload.activity"))?;
        let id = sent.id.ok_or_else(|| missing("payload.activity.id"))?;
        let activity = Activity {
            kind: match sent.activity_type.as_deref() {
                Some("NOTE") => ActivityKind::Note,
                Some("CHECKIN") => ActivityKind::Checkin,
                _ => ActivityKind::Post,
            },
            actor: social.metadata.and_then(|metadata| metadata.actor).and_then(ActorModel::into_actor),
            title: sent.title,
            content: sent.content,
            url: sent.url,
            in_reply_to: None,
            place: sent.location.and_then(LocationModel::into_place),
            attachments: sent
                .attachments
                .unwrap_or_default()
                .into_iter()
                .map(AttachmentModel::into_attachment)
                .collect(),
        };
        Ok(Self::new(DataType::Posts, Some(id), Fields::Activity(Box::new(activity))).at(sent.published))
    }
}

/// The wire has no word for a re-share: it is a post whose address is that of the shared one.
fn type_name(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::Post | ActivityKind::Share => "POST",
        ActivityKind::Note => "NOTE",
        ActivityKind::Checkin => "CHECKIN",
    }
}

impl ActorModel {
    fn of(actor: &Actor) -> Self {
        Self {
            kind: "SocialActivityActor",
            id: Some(actor.id.clone()),
            name: actor.name.clone(),
            url: actor.url.clone(),
        }
    }

    fn into_actor(self) -> Option<Actor> {
        let id = self.id.or_else(|| self.url.clone()).or_else(|| self.name.clone())?;
        Some(Actor { id, name: self.name, url: self.url })
    }
}

impl AttachmentModel {
    fn of(attachment: &Attachment) -> Self {
        let attachment_type = match attachment.kind {
            AttachmentKind::Link => "LINK",
            AttachmentKind::Image => "IMAGE",
            AttachmentKind::Video => "VIDEO",
        };
        Self {
            kind: "SocialActivityAttachment",
            attachment_type: Some(attachment_type.to_owned()),
            url: attachment.url.clone(),
            name: Some(attachment.name.clone()),
            content: attachment.content.clone(),
        }
    }

    fn into_attachment(self) -> Attachment {
        Attachment {
            kind: match self.attachment_type.as_deref() {
                Some("IMAGE") => AttachmentKind::Image,
                Some("VIDEO") => AttachmentKind::Video,
                _ => AttachmentKind::Link,
            },
            name: self.name.unwrap_or_default(),
            url: self.url,
            content: self.content,
        }
    }
}

impl LocationModel {
    fn of(place: &Place) -> Self {
        Self {
            kind: "SocialActivityLocation",
            name: place.name.clone(),
            longitude: Some(place.longitude),
            latitude: Some(place.latitude),
        }
    }

    /// A place that has a name but no coordinates stays in the original only.
    fn into_place(self) -> Option<Place> {
        Some(Place { name: self.name, latitude: self.latitude?, longitude: self.longitude? })
    }
}
