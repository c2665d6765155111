// A provider on HashiCorp's terraform-plugin-framework with the schemas and the behavior of
// ../tests/peer/provider, which the test `peer` compares with it call by call.
package main

import (
	"context"
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	dsschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func main() {
	// The test client shows what providers log, and here only the answers count.
	for _, name := range []string{"TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_SDK_FRAMEWORK"} {
		if err := os.Setenv(name, "OFF"); err != nil {
			log.Fatal(err)
		}
	}
	options := providerserver.ServeOpts{Address: "example.com/example/peer"}
	factory := func() provider.Provider { return &peer{} }
	if err := providerserver.Serve(context.Background(), factory, options); err != nil {
		log.Fatal(err)
	}
}

type peer struct{}

func (*peer) Metadata(_ context.Context, _ provider.MetadataRequest, response *provider.MetadataResponse) {
	response.TypeName = "peer"
}

func (*peer) Schema(_ context.Context, _ provider.SchemaRequest, response *provider.SchemaResponse) {
	response.Schema = schema.Schema{
		Attributes: map[string]schema.Attribute{
			"region": schema.StringAttribute{Optional: true},
		},
	}
}

func (*peer) Configure(ctx context.Context, request provider.ConfigureRequest, response *provider.ConfigureResponse) {
	var region types.String
	response.Diagnostics.Append(request.Config.GetAttribute(ctx, path.Root("region"), &region)...)
	if region.ValueString() == "fail" {
		response.Diagnostics.AddAttributeError(path.Root("region"), "Told to fail", "Take another region.")
		return
	}
	response.ResourceData = region
}

func (*peer) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return &thing{} }}
}

func (*peer) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return &lookup{} }}
}

func (*peer) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{func() ephemeral.EphemeralResource { return &token{} }}
}

func (*peer) Functions(context.Context) []func() function.Function {
	return []func() function.Function{
		func() function.Function { return &join{} },
		func() function.Function { return &describe{} },
	}
}

// The data source finds the name it is asked for.
type lookup struct{}

func (*lookup) Metadata(_ context.Context, _ datasource.MetadataRequest, response *datasource.MetadataResponse) {
	response.TypeName = "peer_lookup"
}

func (*lookup) Schema(_ context.Context, _ datasource.SchemaRequest, response *datasource.SchemaResponse) {
	response.Schema = dsschema.Schema{
		Attributes: map[string]dsschema.Attribute{
			"name":  dsschema.StringAttribute{Required: true},
			"found": dsschema.StringAttribute{Computed: true},
		},
	}
}

func (*lookup) Read(ctx context.Context, request datasource.ReadRequest, response *datasource.ReadResponse) {
	var name types.String
	response.Diagnostics.Append(request.Config.GetAttribute(ctx, path.Root("name"), &name)...)
	if name.ValueString() == "none" {
		response.Diagnostics.AddAttributeError(path.Root("name"), "Not found", "There is none.")
		return
	}
	response.Diagnostics.Append(response.State.SetAttribute(ctx, path.Root("name"), name)...)
	response.Diagnostics.Append(response.State.SetAttribute(ctx, path.Root("found"), "found "+name.ValueString())...)
}
