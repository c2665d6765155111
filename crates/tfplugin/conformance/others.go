package main

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The ephemeral resource is told by its name what to do.
type token struct{}

func (*token) Metadata(_ context.Context, _ ephemeral.MetadataRequest, response *ephemeral.MetadataResponse) {
	response.TypeName = "peer_token"
}

func (*token) Schema(_ context.Context, _ ephemeral.SchemaRequest, response *ephemeral.SchemaResponse) {
	response.Schema = schema.Schema{
		Attributes: map[string]schema.Attribute{
			"name":  schema.StringAttribute{Required: true, Validators: []validator.String{stringvalidator.LengthBetween(1, 12)}},
			"token": schema.StringAttribute{Computed: true, Sensitive: true},
		},
	}
}

func (*token) Open(ctx context.Context, request ephemeral.OpenRequest, response *ephemeral.OpenResponse) {
	var name types.String
	response.Diagnostics.Append(request.Config.GetAttribute(ctx, path.Root("name"), &name)...)
	switch name.ValueString() {
	case "fails":
		response.Diagnostics.AddAttributeError(path.Root("name"), "Told to fail", "Take another name.")
		return
	case "warns":
		response.Diagnostics.AddWarning("Told to warn", "Take another name.")
	case "renewed":
		response.RenewAt = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if name.ValueString() != "plain" {
		response.Diagnostics.Append(response.Private.SetKey(ctx, "name", []byte(`"`+name.ValueString()+`"`))...)
	}
	response.Diagnostics.Append(response.Result.SetAttribute(ctx, path.Root("name"), name)...)
	response.Diagnostics.Append(response.Result.SetAttribute(ctx, path.Root("token"), "token of "+name.ValueString())...)
}

func (*token) Renew(ctx context.Context, request ephemeral.RenewRequest, response *ephemeral.RenewResponse) {
	name, diagnostics := request.Private.GetKey(ctx, "name")
	response.Diagnostics.Append(diagnostics...)
	if string(name) == `"unrenewable"` {
		response.Diagnostics.AddError("Told to fail", "Take another name.")
		return
	}
	if string(name) == `"renewed"` {
		response.RenewAt = time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	}
}

func (*token) Close(ctx context.Context, request ephemeral.CloseRequest, response *ephemeral.CloseResponse) {
	name, diagnostics := request.Private.GetKey(ctx, "name")
	response.Diagnostics.Append(diagnostics...)
	if string(name) == `"unclosable"` {
		response.Diagnostics.AddError("Told to fail", "Take another name.")
	}
}

// join puts texts together, none of which may be empty.
type join struct{}

func (*join) Metadata(_ context.Context, _ function.MetadataRequest, response *function.MetadataResponse) {
	response.Name = "join"
}

func (*join) Definition(_ context.Context, _ function.DefinitionRequest, response *function.DefinitionResponse) {
	response.Definition = function.Definition{
		Summary:           "Joins texts.",
		Parameters:        []function.Parameter{function.StringParameter{Name: "separator"}},
		VariadicParameter: function.StringParameter{Name: "parts"},
		Return:            function.StringReturn{},
	}
}

func (*join) Run(ctx context.Context, request function.RunRequest, response *function.RunResponse) {
	var separator string
	var parts []string
	response.Error = function.ConcatFuncErrors(response.Error, request.Arguments.Get(ctx, &separator, &parts))
	for index, part := range parts {
		if part == "" {
			response.Error = function.NewArgumentFuncError(int64(index+1), "must not be empty")
			return
		}
	}
	response.Error = function.ConcatFuncErrors(response.Error, response.Result.Set(ctx, strings.Join(parts, separator)))
}

// describe says whether its argument is null, unknown or known.
type describe struct{}

func (*describe) Metadata(_ context.Context, _ function.MetadataRequest, response *function.MetadataResponse) {
	response.Name = "describe"
}

func (*describe) Definition(_ context.Context, _ function.DefinitionRequest, response *function.DefinitionResponse) {
	response.Definition = function.Definition{
		Summary: "Describes a value.",
		Parameters: []function.Parameter{function.DynamicParameter{
			Name: "value", AllowNullValue: true, AllowUnknownValues: true,
		}},
		Return: function.StringReturn{},
	}
}

func (*describe) Run(ctx context.Context, request function.RunRequest, response *function.RunResponse) {
	var value types.Dynamic
	response.Error = function.ConcatFuncErrors(response.Error, request.Arguments.Get(ctx, &value))
	result := "known"
	switch {
	case value.IsNull() || value.IsUnderlyingValueNull():
		result = "null"
	case value.IsUnknown() || value.IsUnderlyingValueUnknown():
		result = "unknown"
	}
	response.Error = function.ConcatFuncErrors(response.Error, response.Result.Set(ctx, result))
}
