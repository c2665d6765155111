//! Failures of the effects, told apart by what the user has to do.

use devopsgenie_kubernetes::wait::WaitError;

/// Why an add-on set was not applied, removed or read completely.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The cluster did not do what it was asked.
    #[error("the cluster could not be asked")]
    Cluster(#[source] devopsgenie_kubernetes::Error),
    /// The inventory belongs to another Terraform state.
    #[error(
        "the cluster has an add-on set {name:?} (ConfigMap {namespace}/{config_map}) that belongs to \
         {owner:?}, and this configuration is {expected:?}. Choose another name, or let its owner \
         destroy it first"
    )]
    OtherOwner {
        /// Name of the set.
        name: String,
        /// Namespace of the inventory.
        namespace: String,
        /// Name of the inventory.
        config_map: String,
        /// Who has it.
        owner: String,
        /// Who we are.
        expected: String,
    },
    /// The inventory was written by a newer provider.
    #[error(
        "the inventory {config_map} has format {found}, and this provider knows {known}: use the newer \
         provider version that wrote it"
    )]
    NewerInventory {
        /// Name of the inventory.
        config_map: String,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The inventory is not one.
    #[error(
        "the ConfigMap {namespace}/{config_map} is not an inventory of an add-on set: {reason}. It was \
         changed by hand; restore it, or delete it together with the objects that carry the label \
         devopsgenie.dev/addon-set={set}"
    )]
    BrokenInventory {
        /// Namespace of the inventory.
        namespace: String,
        /// Name of the inventory.
        config_map: String,
        /// Name of the set.
        set: String,
        /// What does not fit.
        reason: String,
    },
    /// Another apply works on this set.
    #[error(
        "another apply works on this add-on set: {holder} holds the Lease {namespace}/{lease} and renews \
         it. Wait until it ends and apply again"
    )]
    Busy {
        /// Namespace of the Lease.
        namespace: String,
        /// Name of the Lease.
        lease: String,
        /// Host, process and run.
        holder: String,
    },
    /// Our Lease was taken while we worked, because we could not renew it in time.
    #[error(
        "the Lease of this add-on set was lost while it was applied: the API server was not reachable for \
         too long, or another apply took over. Apply again"
    )]
    LeaseLost,
    /// One object could not be applied or deleted.
    #[error("{key} of add-on {addon}")]
    Object {
        /// The object's key.
        key: String,
        /// Its add-on.
        addon: String,
        /// Why.
        #[source]
        source: Box<devopsgenie_kubernetes::Error>,
    },
    /// An object exists and belongs to another add-on set.
    #[error(
        "{key} of add-on {addon} exists and belongs to the add-on set {set}. An object can be in one set \
         only: take it out of one of the two"
    )]
    OtherSet {
        /// The object's key.
        key: String,
        /// Its add-on in this set.
        addon: String,
        /// The set that has it, with its owner.
        set: String,
    },
    /// An object exists that no add-on set made.
    #[error(
        "{key} of add-on {addon} exists and was not made by this set, which would change it now and delete \
         it one day. Take it out of the manifests, delete it in the cluster, or set take_ownership = true to \
         take it over"
    )]
    ObjectExists {
        /// The object's key.
        key: String,
        /// Its add-on.
        addon: String,
    },
    /// A creation finds a set that was completed, with other objects.
    #[error(
        "the cluster has a complete add-on set {name:?} of this Terraform state (ConfigMap \
         {namespace}/{config_map}) with other objects ({difference}); created here, it would lose them. If \
         two resources have this name, rename one. If the resource was lost from the state, import it, and \
         the next plan shows what changes"
    )]
    SetExists {
        /// Name of the set.
        name: String,
        /// Namespace of the inventory.
        namespace: String,
        /// Name of the inventory.
        config_map: String,
        /// Keys that only one of the two has.
        difference: String,
    },
    /// A CustomResourceDefinition leaves, and objects of its kind exist that would go with it.
    #[error(
        "{key} of add-on {addon} cannot be deleted while objects of its kind exist that are not deleted with \
         it: {objects}. They would be lost. Delete them first, or keep the definition in the set"
    )]
    DefinitionInUse {
        /// The definition's key.
        key: String,
        /// Its add-on.
        addon: String,
        /// Names of the objects.
        objects: String,
    },
    /// A namespace exists that the set did not make. Adopted, it would be deleted with the set, and
    /// everything in it.
    #[error(
        "{key} of add-on {addon} exists and was not made by this set, which would delete it with all it \
         holds one day. Leave the namespace out of the manifests (baseline: create_namespaces = false)"
    )]
    NamespaceExists {
        /// The object's key.
        key: String,
        /// Its add-on.
        addon: String,
    },
    /// Objects did not get ready, or did not go away.
    #[error("{what}")]
    Wait {
        /// Which step, `the stage workloads`.
        what: String,
        /// The add-on of all culprits, if they have only one.
        addon: Option<String>,
        /// The culprits.
        #[source]
        source: WaitError,
    },
    /// The user stopped the run.
    #[error(
        "stopped before it was complete; what exists is in the inventory, and the next apply carries on"
    )]
    Cancelled,
    /// The time is up in the middle of a stage.
    #[error(
        "the time is up before it was complete; what exists is in the inventory, and the next apply carries \
         on. If it needs longer, raise timeouts"
    )]
    TimedOut,
    /// No randomness from the system.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

impl From<devopsgenie_kubernetes::Error> for EngineError {
    fn from(error: devopsgenie_kubernetes::Error) -> Self {
        EngineError::Cluster(error)
    }
}

impl EngineError {
    /// A wait that was given up, stopped or cut off.
    pub(crate) fn wait(what: impl Into<String>, addon: Option<String>, source: WaitError) -> Self {
        match source {
            WaitError::Cancelled { .. } => EngineError::Cancelled,
            source => EngineError::Wait {
                what: what.into(),
                addon,
                source,
            },
        }
    }

    /// Whether the run as a whole is over, whichever object met it.
    pub(crate) fn is_end_of_run(&self) -> bool {
        match self {
            EngineError::Cancelled | EngineError::TimedOut | EngineError::LeaseLost => true,
            EngineError::Object { source, .. } => source.is_no_answer(),
            EngineError::Cluster(source) => source.is_no_answer(),
            _ => false,
        }
    }
}
