package main

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func kept() []planmodifier.String {
	return []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
}

// UseStateForUnknown is wrong for objects that appear in an update.
func keptNested() []planmodifier.String {
	return []planmodifier.String{stringplanmodifier.UseNonNullStateForUnknown()}
}

func replacing() []planmodifier.String {
	return []planmodifier.String{stringplanmodifier.RequiresReplace()}
}

func between(minimum, maximum int64) []validator.Int64 {
	return []validator.Int64{int64validator.Between(minimum, maximum)}
}

// A thing cannot shrink.
func shrinks(_ context.Context, request planmodifier.Int64Request, response *int64planmodifier.RequiresReplaceIfFuncResponse) {
	before, after := request.StateValue, request.PlanValue
	known := !before.IsNull() && !before.IsUnknown() && !after.IsNull() && !after.IsUnknown()
	response.RequiresReplace = known && after.ValueInt64() < before.ValueInt64()
}

func (*thing) Schema(ctx context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	response.Schema = schema.Schema{
		Version: 2,
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{Computed: true, PlanModifiers: kept()},
			"name": schema.StringAttribute{
				Required:      true,
				Validators:    []validator.String{stringvalidator.LengthBetween(1, 12)},
				PlanModifiers: replacing(),
			},
			"label": schema.StringAttribute{Optional: true, Computed: true},
			"size": schema.Int64Attribute{
				Optional:   true,
				Computed:   true,
				Default:    int64default.StaticInt64(3),
				Validators: between(1, 9),
				PlanModifiers: []planmodifier.Int64{
					int64planmodifier.RequiresReplaceIf(shrinks, "A thing cannot shrink.", "A thing cannot shrink."),
				},
			},
			"ratio":    schema.NumberAttribute{Optional: true},
			"enabled":  schema.BoolAttribute{Optional: true, Computed: true, Default: booldefault.StaticBool(false)},
			"secret":   schema.StringAttribute{Optional: true, Sensitive: true},
			"password": schema.StringAttribute{Optional: true, WriteOnly: true, Sensitive: true},
			"document": schema.StringAttribute{Optional: true},
			"anything": schema.DynamicAttribute{Optional: true},
			"tags":     schema.MapAttribute{Optional: true, ElementType: types.StringType},
			"ports": schema.ListAttribute{
				Optional:    true,
				ElementType: types.Int64Type,
				Validators: []validator.List{
					listvalidator.SizeAtMost(2),
					listvalidator.ValueInt64sAre(int64validator.Between(1, 9)),
				},
			},
			"zones":    schema.SetAttribute{Optional: true, Computed: true, ElementType: types.StringType},
			"revision": schema.Int64Attribute{Computed: true},
			"status": schema.SingleNestedAttribute{
				Computed: true,
				Attributes: map[string]schema.Attribute{
					"phase": schema.StringAttribute{Computed: true},
				},
			},
			"settings": schema.SingleNestedAttribute{
				Optional: true,
				Attributes: map[string]schema.Attribute{
					"mode":  schema.StringAttribute{Required: true, PlanModifiers: replacing()},
					"speed": schema.Int64Attribute{Optional: true, Computed: true, Default: int64default.StaticInt64(10)},
					"arn":   schema.StringAttribute{Computed: true, PlanModifiers: kept()},
				},
			},
			"steps": schema.ListNestedAttribute{
				Optional: true,
				NestedObject: schema.NestedAttributeObject{
					Attributes: map[string]schema.Attribute{
						"run":    schema.StringAttribute{Required: true},
						"handle": schema.StringAttribute{Computed: true, PlanModifiers: keptNested()},
					},
				},
			},
			"rules": schema.SetNestedAttribute{
				Optional: true,
				NestedObject: schema.NestedAttributeObject{
					Attributes: map[string]schema.Attribute{
						"port":     schema.Int64Attribute{Required: true, Validators: between(1, 9)},
						"protocol": schema.StringAttribute{Optional: true},
						"handle":   schema.StringAttribute{Computed: true, PlanModifiers: keptNested()},
					},
				},
			},
			"groups": schema.MapNestedAttribute{
				Optional: true,
				NestedObject: schema.NestedAttributeObject{
					Attributes: map[string]schema.Attribute{
						"minimum": schema.Int64Attribute{Required: true, Validators: between(0, 9)},
						"maximum": schema.Int64Attribute{Optional: true, Computed: true, Default: int64default.StaticInt64(10)},
						"arn":     schema.StringAttribute{Computed: true, PlanModifiers: keptNested()},
					},
				},
			},
			"timeouts": timeouts.AttributesAll(ctx),
		},
		Blocks: map[string]schema.Block{
			"disk": schema.ListNestedBlock{
				NestedObject: schema.NestedBlockObject{
					Attributes: map[string]schema.Attribute{
						"size": schema.Int64Attribute{Required: true, Validators: between(1, 9)},
						"kind": schema.StringAttribute{Optional: true, Computed: true, Default: stringdefault.StaticString("fast")},
						"path": schema.StringAttribute{Computed: true, PlanModifiers: keptNested()},
					},
					Blocks: map[string]schema.Block{
						"part": schema.SetNestedBlock{
							NestedObject: schema.NestedBlockObject{
								Attributes: map[string]schema.Attribute{
									"mount": schema.StringAttribute{Required: true},
								},
							},
						},
					},
				},
			},
			"network": schema.SingleNestedBlock{
				Attributes: map[string]schema.Attribute{
					"cidr":    schema.StringAttribute{Optional: true, PlanModifiers: replacing()},
					"address": schema.StringAttribute{Computed: true},
				},
			},
		},
	}
}

func (*thing) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, response *resource.IdentitySchemaResponse) {
	response.IdentitySchema = identityschema.Schema{
		Version: 1,
		Attributes: map[string]identityschema.Attribute{
			"id":     identityschema.StringAttribute{RequiredForImport: true},
			"region": identityschema.StringAttribute{OptionalForImport: true},
		},
	}
}

func (*thing) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{
		resourcevalidator.Conflicting(path.MatchRoot("document"), path.MatchRoot("anything")),
		resourcevalidator.RequiredTogether(path.MatchRoot("secret"), path.MatchRoot("ratio")),
	}
}
