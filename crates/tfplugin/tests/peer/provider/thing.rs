//! The resource `peer_thing`. What it does beyond keeping its values is told by its label.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tfplugin::cty::{Path, Type, Value};
use tfplugin::schema::Schema;
use tfplugin::{
    Applied, AttributeValue, Context, ConversionError, Deleted, Diagnostic, Diagnostics,
    Identified, IdentityAttribute, IdentitySchema, Imported, Model, MoveRequest, MoveSource, Moved,
    PlanInput, Planned, PlannedCreate, PlannedDelete, PlannedUpdate, Private, RawState,
    ReadRequest, ReadResponse, Resource, UpgradeRequest, model,
};

use crate::{Region, schema, told_to_fail};

static TYPE: LazyLock<Type> = LazyLock::new(|| schema::thing().ty());

/// The thing as a value: what it computes depends on types alone.
#[derive(Clone)]
pub struct Thing(Value);

impl Model for Thing {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        Ok(Self(value))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }

    fn ty() -> Type {
        TYPE.clone()
    }
}

impl Thing {
    fn attribute(&self, name: &str) -> &Value {
        let attributes = self.0.as_entries();
        attributes
            .and_then(|attributes| attributes.get(name))
            .unwrap_or(&Value::Null)
    }

    fn text(&self, name: &str) -> &str {
        self.attribute(name).as_str().unwrap_or_default()
    }

    /// A thing of which only these attributes are known.
    fn of<const N: usize>(attributes: [(&str, Value); N]) -> Self {
        let nothing = match &*TYPE {
            Type::Object(object) => object
                .attributes()
                .keys()
                .map(|name| (name.clone(), Value::Null))
                .collect(),
            _ => BTreeMap::new(),
        };
        Self(Value::Object(nothing)).with(attributes)
    }

    fn with<const N: usize>(self, attributes: [(&str, Value); N]) -> Self {
        let mut values = match self.0 {
            Value::Object(values) => values,
            _ => BTreeMap::new(),
        };
        values.extend(
            attributes
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        Self(Value::Object(values))
    }

    /// The same with what is unknown filled in: texts are "found", numbers the given one.
    fn settled(self, number: i64) -> Self {
        Self(settle(self.0, &TYPE, number))
    }
}

fn settle(value: Value, ty: &Type, number: i64) -> Value {
    match (value, ty) {
        (Value::Unknown, ty) => found(ty, number),
        (Value::Object(values), Type::Object(object)) => {
            Value::object(values.into_iter().map(|(name, value)| {
                let value = match object.attribute(&name) {
                    Some(ty) => settle(value, ty, number),
                    None => value,
                };
                (name, value)
            }))
        }
        (Value::List(elements), Type::List(ty)) => Value::list(
            elements
                .into_iter()
                .map(|element| settle(element, ty, number)),
        ),
        (Value::Set(elements), Type::Set(ty)) => Value::set(
            elements
                .into_iter()
                .map(|element| settle(element, ty, number)),
        ),
        (Value::Map(elements), Type::Map(ty)) => Value::map(
            elements
                .into_iter()
                .map(|(key, element)| (key, settle(element, ty, number))),
        ),
        (value, _) => value,
    }
}

fn found(ty: &Type, number: i64) -> Value {
    match ty {
        Type::Number => Value::from(number),
        Type::Bool => Value::Bool(true),
        Type::List(_) => Value::list([]),
        Type::Set(_) => Value::set([]),
        Type::Map(_) => Value::map::<String>([]),
        Type::Object(object) => Value::object(
            object
                .attributes()
                .iter()
                .map(|(name, ty)| (name.clone(), found(ty, number))),
        ),
        _ => Value::from("found"),
    }
}

/// What an older version, or another type, called by `key`.
fn older(state: &RawState, key: &str) -> Result<Thing, Diagnostics> {
    let json = state.to_json();
    let name = json
        .get(key)
        .and_then(|name| name.as_str())
        .unwrap_or_default();
    if name == "broken" {
        return Err(Diagnostics::error("Told to fail", "Take another name."));
    }
    Ok(Thing::of([
        ("id", Value::from(name)),
        ("name", Value::from(name)),
    ]))
}

fn origin(origin: &str) -> Private {
    let mut private = Private::new();
    private.insert("origin", origin);
    private
}

pub struct ThingResource;

impl Resource for ThingResource {
    type Model = Thing;
    type Client = Region;

    fn schema(&self) -> Schema {
        schema::thing()
    }

    fn validate(&self, config: &Thing) -> Diagnostics {
        match config.text("label") {
            "invalid" => told_to_fail("label"),
            "doubtful" => Diagnostics::warning("Told to warn", "Take another label."),
            _ => Diagnostics::new(),
        }
    }

    fn plan(&self, input: PlanInput<'_, Thing, Region>) -> Result<Planned<Thing>, Diagnostics> {
        let mut planned = Planned {
            private: input.prior_private.clone(),
            requires_replace: Vec::new(),
            diagnostics: Diagnostics::new(),
            state: input.proposed,
        };
        match planned.state.text("label") {
            "plan-fails" => return Err(told_to_fail("label")),
            "plan-warns" => planned.diagnostics.push(
                Diagnostic::warning("Told to warn", "Take another label.")
                    .at(Path::root().attribute("settings").attribute("mode")),
            ),
            "plan-private" => planned.private.insert("planned", true),
            "plan-replaces" => planned
                .requires_replace
                .push(Path::root().attribute("label")),
            _ => {}
        }
        Ok(planned)
    }

    fn plan_destroy(
        &self,
        prior: &Thing,
        private: &Private,
    ) -> Result<(Private, Diagnostics), Diagnostics> {
        if prior.text("label") == "protected" {
            return Err(Diagnostics::error("Protected", "Take another label first."));
        }
        Ok((private.clone(), Diagnostics::new()))
    }

    async fn create(&self, _: Context<Region>, planned: PlannedCreate<Thing>) -> Applied<Thing> {
        let state = planned.planned.settled(1);
        match state.text("label") {
            "fails" => Applied::failed(told_to_fail("label")),
            "half" => Applied::partial(state, Private::new(), told_to_fail("label")),
            "private" => Applied::done(state, origin("create")),
            // A create on HashiCorp's framework does not get the private data of its plan.
            _ => Applied::done(state, Private::new()),
        }
    }

    async fn read(&self, _: Context<Region>, request: ReadRequest<Thing>) -> ReadResponse<Thing> {
        match request.state.text("label") {
            "gone" => return ReadResponse::gone(),
            "unreadable" => {
                let error = Diagnostics::error("Told to fail", "Take another label.");
                return ReadResponse::failed(request, error);
            }
            _ => {}
        }
        let mut state = request.state;
        if state.text("name").is_empty() {
            let id = state.attribute("id").clone();
            state = state.with([("name", id), ("revision", Value::from(1))]);
        }
        ReadResponse::found(state, request.private)
    }

    async fn update(&self, _: Context<Region>, planned: PlannedUpdate<Thing>) -> Applied<Thing> {
        let revision = planned.prior.attribute("revision").as_i64();
        let state = planned.planned.settled(revision.unwrap_or_default() + 1);
        match state.text("label") {
            "fails" => Applied::failed(told_to_fail("label")),
            "half" => Applied::partial(state, planned.private, told_to_fail("label")),
            _ => Applied::done(state, planned.private),
        }
    }

    async fn delete(&self, _: Context<Region>, planned: PlannedDelete<Thing>) -> Deleted<Thing> {
        if planned.prior.text("label") == "kept" {
            return Deleted::failed(Diagnostics::error("Told to fail", "Take another label."));
        }
        Deleted::gone()
    }

    async fn import(&self, _: Context<Region>, id: &str) -> Result<Imported<Thing>, Diagnostics> {
        if id == "none" {
            return Err(Diagnostics::error("Not found", "There is none."));
        }
        let mut imported = Imported::new(Thing::of([("id", Value::from(id))]));
        if id == "private" {
            imported.private = origin("import");
        }
        Ok(imported)
    }

    fn upgrade_state(&self, request: UpgradeRequest) -> Result<Thing, Diagnostics> {
        if request.version == 0 {
            older(&request.state, "title")
        } else {
            Err(request.too_old())
        }
    }

    fn move_sources(&self) -> Vec<MoveSource> {
        vec![MoveSource::new("builtin/terraform", "terraform_data")]
    }

    fn move_state(&self, request: MoveRequest) -> Result<Moved<Thing>, Diagnostics> {
        let mut moved = Moved::new(older(&request.state, "input")?);
        moved.private = origin("move");
        Ok(moved)
    }
}

model! {
    /// What tells one thing from others.
    pub struct ThingIdentity {
        /// Id.
        pub id: AttributeValue<String>,
        /// Region of the provider.
        pub region: AttributeValue<String>,
    }

    /// The identity of version 0.
    struct OldIdentity {
        key: AttributeValue<String>,
    }
}

impl Identified for ThingResource {
    type Identity = ThingIdentity;

    fn identity_schema(&self) -> IdentitySchema {
        IdentitySchema::new()
            .version(1)
            .attribute(
                "id",
                IdentityAttribute::required_for_import(Type::String, "Id."),
            )
            .attribute(
                "region",
                IdentityAttribute::optional_for_import(Type::String, "Region."),
            )
    }

    fn identity(&self, client: Option<&Region>, thing: &Thing) -> ThingIdentity {
        ThingIdentity {
            id: match thing.attribute("id") {
                Value::Unknown => AttributeValue::Unknown,
                id => id.as_str().unwrap_or_default().to_owned().into(),
            },
            region: client.cloned().unwrap_or(AttributeValue::Unknown),
        }
    }

    async fn import_by_identity(
        &self,
        context: Context<Region>,
        identity: ThingIdentity,
    ) -> Result<Imported<Thing>, Diagnostics> {
        let id = identity.id.as_str().unwrap_or_default();
        self.import(context, id).await
    }

    fn upgrade_identity(&self, request: UpgradeRequest) -> Result<ThingIdentity, Diagnostics> {
        if request.version != 0 {
            return Err(request.too_old());
        }
        let old: OldIdentity = request.state.model()?;
        Ok(ThingIdentity {
            id: old.key,
            region: "somewhere".into(),
        })
    }
}
