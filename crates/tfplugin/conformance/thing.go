package main

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// What the thing does beyond keeping its values is told by its label.
type thing struct {
	region types.String
}

func (*thing) Metadata(_ context.Context, _ resource.MetadataRequest, response *resource.MetadataResponse) {
	response.TypeName = "peer_thing"
}

func (thing *thing) Configure(_ context.Context, request resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if region, ok := request.ProviderData.(types.String); ok {
		thing.region = region
	}
}

func (thing *thing) identify(ctx context.Context, identity *tfsdk.ResourceIdentity, state tftypes.Value) diag.Diagnostics {
	diagnostics := identity.SetAttribute(ctx, path.Root("id"), text(state, "id"))
	diagnostics.Append(identity.SetAttribute(ctx, path.Root("region"), thing.region)...)
	return diagnostics
}

func (*thing) ValidateConfig(_ context.Context, request resource.ValidateConfigRequest, response *resource.ValidateConfigResponse) {
	switch text(request.Config.Raw, "label") {
	case "invalid":
		response.Diagnostics.AddAttributeError(path.Root("label"), "Told to fail", "Take another label.")
	case "doubtful":
		response.Diagnostics.AddWarning("Told to warn", "Take another label.")
	}
}

func (*thing) ModifyPlan(ctx context.Context, request resource.ModifyPlanRequest, response *resource.ModifyPlanResponse) {
	if request.Plan.Raw.IsNull() {
		if text(request.State.Raw, "label") == "protected" {
			response.Diagnostics.AddError("Protected", "Take another label first.")
		}
		return
	}
	switch text(request.Plan.Raw, "label") {
	case "plan-fails":
		response.Diagnostics.AddAttributeError(path.Root("label"), "Told to fail", "Take another label.")
	case "plan-warns":
		response.Diagnostics.AddAttributeWarning(path.Root("settings").AtName("mode"), "Told to warn", "Take another label.")
	case "plan-private":
		response.Diagnostics.Append(response.Private.SetKey(ctx, "planned", []byte("true"))...)
	case "plan-replaces":
		response.RequiresReplace = append(response.RequiresReplace, path.Root("label"))
	}
}

func (thing *thing) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	state := settle(request.Plan.Raw, 1)
	label := text(state, "label")
	if label == "fails" || label == "half" {
		response.Diagnostics.AddAttributeError(path.Root("label"), "Told to fail", "Take another label.")
	}
	if label == "fails" {
		return
	}
	if label == "private" {
		response.Diagnostics.Append(response.Private.SetKey(ctx, "origin", []byte(`"create"`))...)
	}
	response.State.Raw = state
	response.Diagnostics.Append(thing.identify(ctx, response.Identity, state)...)
}

func (thing *thing) Read(ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse) {
	state := request.State.Raw
	switch text(state, "label") {
	case "gone":
		response.State.RemoveResource(ctx)
		return
	case "unreadable":
		response.Diagnostics.AddError("Told to fail", "Take another label.")
		return
	}
	if text(state, "name") == "" {
		state = with(state, "name", attributes(state)["id"])
		state = with(state, "revision", tftypes.NewValue(tftypes.Number, 1))
	}
	response.State.Raw = state
	response.Diagnostics.Append(thing.identify(ctx, response.Identity, state)...)
}

func (thing *thing) Update(ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse) {
	state := settle(request.Plan.Raw, whole(request.State.Raw, "revision")+1)
	label := text(state, "label")
	if label == "fails" || label == "half" {
		response.Diagnostics.AddAttributeError(path.Root("label"), "Told to fail", "Take another label.")
	}
	if label == "fails" {
		return
	}
	response.State.Raw = state
	response.Diagnostics.Append(thing.identify(ctx, response.Identity, state)...)
}

func (*thing) Delete(_ context.Context, request resource.DeleteRequest, response *resource.DeleteResponse) {
	if text(request.State.Raw, "label") == "kept" {
		response.Diagnostics.AddError("Told to fail", "Take another label.")
	}
}

func (thing *thing) ImportState(ctx context.Context, request resource.ImportStateRequest, response *resource.ImportStateResponse) {
	id := request.ID
	if id == "" {
		var known types.String
		response.Diagnostics.Append(request.Identity.GetAttribute(ctx, path.Root("id"), &known)...)
		id = known.ValueString()
	}
	if id == "none" {
		response.Diagnostics.AddError("Not found", "There is none.")
		return
	}
	if id == "private" {
		response.Diagnostics.Append(response.Private.SetKey(ctx, "origin", []byte(`"import"`))...)
	}
	response.Diagnostics.Append(response.State.SetAttribute(ctx, path.Root("id"), id)...)
	response.Diagnostics.Append(thing.identify(ctx, response.Identity, response.State.Raw)...)
}

// older turns what an older version, or another type, called by `key` into a state of this one.
func older(ctx context.Context, raw []byte, key string, state *tfsdk.State) diag.Diagnostics {
	var diagnostics diag.Diagnostics
	var old map[string]any
	if err := json.Unmarshal(raw, &old); err != nil {
		diagnostics.AddError("Not JSON", err.Error())
		return diagnostics
	}
	name, _ := old[key].(string)
	if name == "broken" {
		diagnostics.AddError("Told to fail", "Take another name.")
		return diagnostics
	}
	state.Raw = tftypes.NewValue(state.Schema.Type().TerraformType(ctx), nil)
	diagnostics.Append(state.SetAttribute(ctx, path.Root("id"), name)...)
	diagnostics.Append(state.SetAttribute(ctx, path.Root("name"), name)...)
	return diagnostics
}

func (*thing) UpgradeState(context.Context) map[int64]resource.StateUpgrader {
	return map[int64]resource.StateUpgrader{
		0: {StateUpgrader: func(ctx context.Context, request resource.UpgradeStateRequest, response *resource.UpgradeStateResponse) {
			response.Diagnostics.Append(older(ctx, request.RawState.JSON, "title", &response.State)...)
		}},
	}
}

func (thing *thing) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{
		{StateMover: func(ctx context.Context, request resource.MoveStateRequest, response *resource.MoveStateResponse) {
			if request.SourceProviderAddress != "terraform.io/builtin/terraform" || request.SourceTypeName != "terraform_data" {
				return
			}
			response.Diagnostics.Append(older(ctx, request.SourceRawState.JSON, "input", &response.TargetState)...)
			if !response.Diagnostics.HasError() {
				response.Diagnostics.Append(response.TargetPrivate.SetKey(ctx, "origin", []byte(`"move"`))...)
				response.Diagnostics.Append(thing.identify(ctx, response.TargetIdentity, response.TargetState.Raw)...)
			}
		}},
	}
}

func (thing *thing) UpgradeIdentity(context.Context) map[int64]resource.IdentityUpgrader {
	return map[int64]resource.IdentityUpgrader{
		0: {
			PriorSchema: &identityschema.Schema{
				Attributes: map[string]identityschema.Attribute{
					"key": identityschema.StringAttribute{RequiredForImport: true},
				},
			},
			IdentityUpgrader: func(ctx context.Context, request resource.UpgradeIdentityRequest, response *resource.UpgradeIdentityResponse) {
				var key types.String
				response.Diagnostics.Append(request.Identity.GetAttribute(ctx, path.Root("key"), &key)...)
				response.Diagnostics.Append(response.Identity.Set(ctx, struct {
					ID     types.String `tfsdk:"id"`
					Region types.String `tfsdk:"region"`
				}{key, types.StringValue("somewhere")})...)
			},
		},
	}
}
