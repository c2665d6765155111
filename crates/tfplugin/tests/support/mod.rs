//! A provider whose resource does what a test tells it.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tfplugin::cty::{Path, Type, Value};
use tfplugin::schema::{Attribute, Schema, TimeoutDefaults, modifiers, validators};
use tfplugin::testing::{Core, Managed};
use tfplugin::{
    Applied, AttributeValue, ConfigureRequest, Context, DataRead, DataSource, DataSourceEntry,
    Deferral, Deleted, Diagnostics, Identified, IdentityAttribute, IdentitySchema, Imported,
    MoveRequest, MoveSource, Moved, PlanInput, Planned, PlannedCreate, PlannedDelete,
    PlannedUpdate, Private, Provider, ReadRequest, ReadResponse, Resource, ResourceEntry, Set,
    Timeouts, UpgradeRequest, model,
};

model! {
    pub struct Config {
        pub region: AttributeValue<String>,
        pub fail: AttributeValue<bool>,
    }

    pub struct Group {
        pub minimum: AttributeValue<i64>,
        pub maximum: AttributeValue<i64>,
        pub arn: AttributeValue<String>,
    }

    pub struct Rule {
        pub port: AttributeValue<i64>,
        pub handle: AttributeValue<String>,
    }

    pub struct Thing {
        pub name: AttributeValue<String>,
        pub label: AttributeValue<String>,
        pub size: AttributeValue<i64>,
        pub secret: AttributeValue<String>,
        pub document: AttributeValue<String>,
        pub anything: AttributeValue<Value>,
        pub groups: AttributeValue<BTreeMap<String, AttributeValue<Group>>>,
        pub rules: AttributeValue<Set<Rule>>,
        pub id: AttributeValue<String>,
        pub revision: AttributeValue<i64>,
        pub timeouts: AttributeValue<Timeouts>,
    }

    pub struct ThingIdentity {
        pub id: AttributeValue<String>,
        pub region: AttributeValue<String>,
    }

    pub struct OldIdentity {
        pub key: AttributeValue<String>,
    }

    pub struct Lookup {
        pub name: AttributeValue<String>,
        pub found: AttributeValue<String>,
    }
}

type Hook<I, O> = Box<dyn Fn(I) -> O + Send + Sync>;

/// What the resource does instead of its usual work, and what it was asked.
#[derive(Default)]
pub struct Script {
    pub plan: Option<Hook<Thing, Result<Thing, Diagnostics>>>,
    pub create: Option<Hook<PlannedCreate<Thing>, Applied<Thing>>>,
    pub update: Option<Hook<PlannedUpdate<Thing>, Applied<Thing>>>,
    pub delete: Option<Hook<PlannedDelete<Thing>, Deleted<Thing>>>,
    pub read: Option<Hook<ReadRequest<Thing>, ReadResponse<Thing>>>,
    pub calls: Vec<String>,
}

#[derive(Clone, Default)]
pub struct Probe(pub Arc<Mutex<Script>>);

impl Probe {
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn note(&self, call: String) {
        self.script(|script| script.calls.push(call));
    }

    /// The calls since the last time.
    pub fn calls(&self) -> Vec<String> {
        let mut calls = Vec::new();
        self.script(|script| calls = std::mem::take(&mut script.calls));
        calls
    }

    fn hooked<T>(&self, call: impl FnOnce(&Script) -> Option<T>) -> Option<T> {
        call(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Provider for Probe {
    type Config = Config;
    type Client = String;

    fn schema(&self) -> Schema {
        Schema::new("A probe.")
            .attribute(
                "region",
                Attribute::string().optional().description("Region."),
            )
            .attribute("fail", Attribute::bool().optional().description("Fails."))
    }

    async fn configure(
        &self,
        request: ConfigureRequest<Config>,
    ) -> Result<(String, Diagnostics), Diagnostics> {
        if request.config.fail == AttributeValue::Known(true) {
            return Err(Diagnostics::attribute_error(
                Path::root().attribute("fail"),
                "Told to fail",
                "Set fail to false.",
            ));
        }
        Ok((
            request.config.region.known_or("nowhere".to_owned()),
            Diagnostics::new(),
        ))
    }

    fn resources(&self) -> Vec<ResourceEntry<String>> {
        vec![ResourceEntry::identified("probe_thing", self.clone())]
    }

    fn data_sources(&self) -> Vec<DataSourceEntry<String>> {
        vec![DataSourceEntry::new("probe_lookup", LookupSource)]
    }
}

impl Identified for Probe {
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

    fn identity(&self, client: Option<&String>, thing: &Thing) -> ThingIdentity {
        ThingIdentity {
            id: thing.id.clone(),
            region: client.map_or(AttributeValue::Unknown, |region| region.clone().into()),
        }
    }

    async fn import_by_identity(
        &self,
        context: Context<String>,
        identity: ThingIdentity,
    ) -> Result<Imported<Thing>, Diagnostics> {
        let id = identity.id.as_str().unwrap_or_default();
        self.import(context, id).await
    }

    fn upgrade_identity(&self, request: UpgradeRequest) -> Result<ThingIdentity, Diagnostics> {
        let old: OldIdentity = request.state.model()?;
        Ok(ThingIdentity {
            id: old.key,
            region: "here".into(),
        })
    }
}

/// What the usual create and update find out.
pub fn settle(mut thing: Thing, revision: i64) -> Thing {
    let name = thing.name.as_str().unwrap_or_default().to_owned();
    if thing.id.is_unknown() {
        thing.id = format!("id-{name}").into();
    }
    if thing.revision.is_unknown() {
        thing.revision = revision.into();
    }
    if thing.label.is_unknown() {
        thing.label = format!("label of {name}").into();
    }
    if let Some(groups) = thing.groups.known_mut() {
        for (key, group) in groups {
            if let Some(group) = group.known_mut()
                && group.arn.is_unknown()
            {
                group.arn = format!("arn:{key}").into();
            }
        }
    }
    if let Some(rules) = thing.rules.known_mut() {
        for rule in &mut rules.0 {
            if let Some(rule) = rule.known_mut()
                && rule.handle.is_unknown()
            {
                let port = rule.port.known().copied().unwrap_or_default();
                rule.handle = format!("rule-{port}").into();
            }
        }
    }
    thing
}

fn private_note(private: &Private) -> String {
    private.get_as::<String>("note").unwrap_or_default()
}

impl Resource for Probe {
    type Model = Thing;
    type Client = String;

    fn schema(&self) -> Schema {
        Schema::new("A thing.")
            .version(2)
            .attribute(
                "name",
                Attribute::string()
                    .required()
                    .description("Name.")
                    .validate(validators::only_characters("lower-case letters", |next| {
                        next.is_ascii_lowercase()
                    }))
                    .plan_modifier(modifiers::requires_replace()),
            )
            .attribute(
                "label",
                Attribute::string()
                    .optional()
                    .computed()
                    .description("Label."),
            )
            .attribute(
                "size",
                Attribute::number()
                    .optional()
                    .computed()
                    .default(3)
                    .description("Size.")
                    .validate(validators::integer_between(1..=9))
                    .plan_modifier(modifiers::requires_replace_if(
                        "A thing cannot shrink.",
                        |input| match (input.prior.as_i64(), input.planned.as_i64()) {
                            (Some(before), Some(after)) => after < before,
                            _ => false,
                        },
                    )),
            )
            .attribute(
                "secret",
                Attribute::string()
                    .optional()
                    .sensitive()
                    .write_only()
                    .description("Secret."),
            )
            .attribute(
                "document",
                Attribute::string()
                    .optional()
                    .description("Text in which case does not matter.")
                    .semantically_equal(|before, after| {
                        assert_ne!(after.as_str(), Some("explode"), "told to explode");
                        before.as_str().map(str::to_lowercase)
                            == after.as_str().map(str::to_lowercase)
                    }),
            )
            .attribute(
                "anything",
                Attribute::dynamic().optional().description("Any value."),
            )
            .attribute(
                "groups",
                Attribute::map_nested([
                    (
                        "minimum",
                        Attribute::number().required().description("Minimum."),
                    ),
                    (
                        "maximum",
                        Attribute::number()
                            .optional()
                            .computed()
                            .default(10)
                            .description("Maximum."),
                    ),
                    (
                        "arn",
                        Attribute::string()
                            .computed()
                            .description("Name in the cloud.")
                            .plan_modifier(modifiers::use_state_for_unknown()),
                    ),
                ])
                .optional()
                .description("Groups."),
            )
            .attribute(
                "rules",
                Attribute::set_nested([
                    ("port", Attribute::number().required().description("Port.")),
                    (
                        "handle",
                        Attribute::string()
                            .computed()
                            .description("Handle.")
                            .plan_modifier(modifiers::use_state_for_unknown()),
                    ),
                ])
                .optional()
                .description("Rules."),
            )
            .attribute(
                "id",
                Attribute::string()
                    .computed()
                    .description("Id.")
                    .plan_modifier(modifiers::use_state_for_unknown()),
            )
            .attribute(
                "revision",
                Attribute::number()
                    .computed()
                    .description("Counts changes."),
            )
            .timeouts(TimeoutDefaults::default())
            .validate(validators::conflicts_with(["document", "anything"]))
    }

    fn defer(&self, config: Option<&Thing>, client: Option<&String>) -> Option<Deferral> {
        if config.is_some_and(|config| config.name.is_unknown()) {
            return Some(Deferral::ResourceConfigUnknown);
        }
        (client.map(String::as_str) == Some("unknown")).then_some(Deferral::ProviderConfigUnknown)
    }

    fn plan(&self, input: PlanInput<'_, Thing, String>) -> Result<Planned<Thing>, Diagnostics> {
        self.note(format!(
            "plan {} with {:?}",
            if input.prior.is_some() {
                "update"
            } else {
                "create"
            },
            private_note(input.prior_private)
        ));
        let state = match self.hooked(|script| {
            script
                .plan
                .as_ref()
                .map(|plan| plan(input.proposed.clone()))
        }) {
            Some(state) => state?,
            None => input.proposed,
        };
        let mut private = input.prior_private.clone();
        private.insert(
            "note",
            format!("planned from {}", private_note(input.prior_private)),
        );
        let diagnostics = if state.label.as_str() == Some("warn") {
            let half = input.prior.map_or("create", |_| "update");
            Diagnostics::warning(format!("Planned: {half}"), "Have a look.")
        } else {
            Diagnostics::new()
        };
        Ok(Planned {
            state,
            requires_replace: Vec::new(),
            private,
            diagnostics,
        })
    }

    fn plan_destroy(
        &self,
        _: &Thing,
        private: &Private,
    ) -> Result<(Private, Diagnostics), Diagnostics> {
        let mut planned = private.clone();
        planned.insert("note", "destroy planned");
        Ok((
            planned,
            Diagnostics::warning("It will be gone", "For good."),
        ))
    }

    async fn read(&self, _: Context<String>, request: ReadRequest<Thing>) -> ReadResponse<Thing> {
        self.note("read".to_owned());
        match self.hooked(|script| script.read.as_ref().map(|read| read(request.clone()))) {
            Some(response) => response,
            None => ReadResponse::found(settle_imported(request.state), request.private),
        }
    }

    async fn create(
        &self,
        context: Context<String>,
        planned: PlannedCreate<Thing>,
    ) -> Applied<Thing> {
        self.note(format!(
            "create in {} with secret {:?} within {:?}",
            context.client,
            planned.config.secret.as_str(),
            context.timeout
        ));
        if let Some(applied) =
            self.hooked(|script| script.create.as_ref().map(|create| create(planned.clone())))
        {
            return applied;
        }
        if planned.planned.label.as_str() == Some("wait") {
            let why = context.interrupted().await;
            return Applied::partial(
                settle(planned.planned, 1),
                planned.private,
                Diagnostics::error("Interrupted", why.to_string()),
            );
        }
        let mut private = Private::new();
        private.insert("note", "created");
        Applied::done(settle(planned.planned, 1), private)
    }

    async fn update(&self, _: Context<String>, planned: PlannedUpdate<Thing>) -> Applied<Thing> {
        self.note(format!("update with {:?}", private_note(&planned.private)));
        if let Some(applied) =
            self.hooked(|script| script.update.as_ref().map(|update| update(planned.clone())))
        {
            return applied;
        }
        let revision = planned.prior.revision.known().copied().unwrap_or_default() + 1;
        Applied::done(settle(planned.planned, revision), planned.private)
    }

    async fn delete(&self, _: Context<String>, planned: PlannedDelete<Thing>) -> Deleted<Thing> {
        self.note(format!("delete with {:?}", private_note(&planned.private)));
        self.hooked(|script| script.delete.as_ref().map(|delete| delete(planned.clone())))
            .unwrap_or_else(Deleted::gone)
    }

    async fn import(&self, _: Context<String>, id: &str) -> Result<Imported<Thing>, Diagnostics> {
        match id.strip_prefix("id-") {
            Some(name) => Ok(Imported::new(Thing {
                name: name.into(),
                ..Thing::default()
            })),
            None => Err(Diagnostics::error(
                "Not an id",
                format!("{id:?} does not start with id-."),
            )),
        }
    }

    fn move_sources(&self) -> Vec<MoveSource> {
        vec![MoveSource::new("example/old", "old_thing")]
    }

    fn move_state(&self, request: MoveRequest) -> Result<Moved<Thing>, Diagnostics> {
        let old: OldIdentity = request.state.model()?;
        let mut private = Private::new();
        private.insert("note", format!("moved from {}", request.type_name));
        Ok(Moved {
            state: Thing {
                name: old.key.as_str().unwrap_or_default().into(),
                id: old.key.map(|key| format!("id-{key}")),
                ..Thing::default()
            },
            private,
            diagnostics: Diagnostics::warning("Moved", "Have a look."),
        })
    }

    fn upgrade_state(&self, request: UpgradeRequest) -> Result<Thing, Diagnostics> {
        match (request.version, request.state.to_json()["title"].as_str()) {
            (1, Some(title)) => Ok(Thing {
                name: title.into(),
                ..Thing::default()
            }),
            (version, _) => Err(Diagnostics::error(
                "Unreadable state",
                format!("Version {version} without a title."),
            )),
        }
    }
}

/// What a read fills in after an import.
fn settle_imported(mut thing: Thing) -> Thing {
    let name = thing.name.as_str().unwrap_or_default().to_owned();
    if thing.id.is_null() {
        thing.id = format!("id-{name}").into();
        thing.label = format!("label of {name}").into();
        thing.size = 3.into();
        thing.revision = 1.into();
    }
    thing
}

struct LookupSource;

impl DataSource for LookupSource {
    type Model = Lookup;
    type Client = String;

    fn schema(&self) -> Schema {
        Schema::new("Looks up.")
            .attribute("name", Attribute::string().required().description("Name."))
            .attribute(
                "found",
                Attribute::string().computed().description("Result."),
            )
    }

    async fn read(
        &self,
        context: Context<String>,
        config: Lookup,
    ) -> Result<DataRead<Lookup>, Diagnostics> {
        let name = config.name.as_str().unwrap_or_default();
        if name == "panic" {
            panic!("told to panic");
        }
        let found = format!("{name} in {}", context.client).into();
        Ok(DataRead::new(Lookup { found, ..config }))
    }
}

/// The configured probe, and one instance of its resource.
pub async fn start() -> (Probe, Core, Managed) {
    let probe = Probe::default();
    let mut core = Core::in_process(probe.clone()).await;
    let warnings = core
        .configure(Value::object([("region", Value::from("here"))]))
        .await
        .expect("the configuration is valid");
    assert!(warnings.is_empty());
    let thing = core.resource("probe_thing");
    (probe, core, thing)
}

/// A configuration by attribute.
pub fn config<const N: usize>(attributes: [(&str, Value); N]) -> Value {
    Value::object(attributes)
}
