//! Launch templates of node groups.

use serde::{Deserialize, Serialize};

use crate::aws::TemplateVersion;
use crate::clusters::ec2_refusal;
use crate::core::Core;
use crate::wire::{ApiError, Code};

/// `launchTemplate` of a request, and as a node group shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateReference {
    pub name: Option<String>,
    pub version: Option<String>,
    pub id: Option<String>,
}

impl TemplateReference {
    /// Whether both mean the same template, whatever version.
    pub(crate) fn means(&self, template: &TemplateVersion) -> bool {
        self.id.as_ref().is_none_or(|id| *id == template.id)
            && self.name.as_ref().is_none_or(|name| *name == template.name)
    }

    /// The template's version, checked. Source: API reference, LaunchTemplateSpecification (id or name;
    /// the default version), and EKS user guide, customize managed nodes with launch templates (what
    /// must not be in it); texts not verified.
    pub(crate) async fn resolve(&self, core: &Core) -> Result<TemplateVersion, ApiError> {
        if self.id.is_some() == self.name.is_some() {
            return Err(ApiError::parameter(
                "Either the ID or the name of the launch template must be specified, but not both.",
            ));
        }
        let template = core
            .aws
            .launch_template(
                self.id.as_deref(),
                self.name.as_deref(),
                self.version.as_deref().unwrap_or("$Default"),
            )
            .await
            .map_err(|error| ec2_refusal(&error))?;
        let refusal = if template.instance_profile {
            "an instance profile"
        } else if template.subnet {
            "subnets of network interfaces"
        } else if template.market_type.as_deref() == Some("spot") {
            "Spot instance market options"
        } else {
            return Ok(template);
        };
        Err(ApiError::new(
            Code::InvalidRequest,
            format!(
                "Launch template {} version {} cannot have {refusal}; managed node groups set it.",
                template.id, template.version
            ),
        ))
    }
}

impl TemplateVersion {
    /// As a node group shows it.
    pub(crate) fn reference(&self) -> TemplateReference {
        TemplateReference {
            name: Some(self.name.clone()),
            version: Some(self.version.clone()),
            id: Some(self.id.clone()),
        }
    }
}
