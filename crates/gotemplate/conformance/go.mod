module gotemplate-conformance

go 1.26
