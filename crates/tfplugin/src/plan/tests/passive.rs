use futures::future::BoxFuture;

use crate::cty::{Type, Value};
use crate::diagnostics::Diagnostics;
use crate::erased::{AnyClient, AnyContext, ErasedPlanInput, ErasedResource};
use crate::plan::{PlanAnswer, PlanRequest, plan};
use crate::private::Private;
use crate::resource::{
    Applied, Deferral, Deleted, Imported, MoveRequest, MoveSource, Moved, Planned, PlannedCreate,
    PlannedDelete, PlannedUpdate, ReadRequest, ReadResponse, UpgradeRequest,
};
use crate::schema::Schema;

/// A resource that accepts every proposal and is asked nothing else.
pub(super) struct Passive;

fn never<T>(call: &str) -> T {
    panic!("{call} is not part of a plan")
}

impl ErasedResource for Passive {
    fn schema(&self) -> Schema {
        never("schema")
    }

    fn model_type(&self) -> Type {
        never("model_type")
    }

    fn validate(&self, _: Value) -> Diagnostics {
        never("validate")
    }

    fn defer(
        &self,
        _: Option<&Value>,
        _: Option<&AnyClient>,
    ) -> Result<Option<Deferral>, Diagnostics> {
        never("defer")
    }

    fn plan(&self, input: ErasedPlanInput<'_>) -> Result<Planned<Value>, Diagnostics> {
        Ok(Planned {
            state: input.proposed,
            requires_replace: Vec::new(),
            private: input.prior_private.clone(),
            diagnostics: Diagnostics::new(),
        })
    }

    fn plan_destroy(
        &self,
        _: &Value,
        prior_private: &Private,
    ) -> Result<(Private, Diagnostics), Diagnostics> {
        Ok((prior_private.clone(), Diagnostics::new()))
    }

    fn read(&self, _: AnyContext, _: ReadRequest<Value>) -> BoxFuture<'_, ReadResponse<Value>> {
        never("read")
    }

    fn create(&self, _: AnyContext, _: PlannedCreate<Value>) -> BoxFuture<'_, Applied<Value>> {
        never("create")
    }

    fn update(&self, _: AnyContext, _: PlannedUpdate<Value>) -> BoxFuture<'_, Applied<Value>> {
        never("update")
    }

    fn delete(&self, _: AnyContext, _: PlannedDelete<Value>) -> BoxFuture<'_, Deleted<Value>> {
        never("delete")
    }

    fn import(
        &self,
        _: AnyContext,
        _: String,
    ) -> BoxFuture<'_, Result<Imported<Value>, Diagnostics>> {
        never("import")
    }

    fn upgrade_state(&self, _: UpgradeRequest) -> Result<Value, Diagnostics> {
        never("upgrade_state")
    }

    fn move_sources(&self) -> Vec<MoveSource> {
        never("move_sources")
    }

    fn move_state(&self, _: MoveRequest) -> Result<Moved<Value>, Diagnostics> {
        never("move_state")
    }
}

/// Plans with what Core would propose.
pub(super) fn plan_as_core(schema: &Schema, prior: &Value, config: &Value) -> PlanAnswer {
    let present = |value: &Value| (!value.is_null()).then(|| value.clone());
    let proposed = if config.is_null() {
        Value::Null
    } else {
        crate::testing::proposed_new(schema, prior, config)
    };
    plan(
        schema,
        &Passive,
        PlanRequest {
            config: present(config),
            prior: present(prior),
            proposed: present(&proposed),
            prior_private: Private::new(),
            client: None,
            deferral_allowed: false,
        },
    )
}
