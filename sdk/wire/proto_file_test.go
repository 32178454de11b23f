package wire

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// protoFiles writes the .proto files of the packages that the scheduler's and the
// executor's protocol needs, from the field data file.
func (p protocol) protoFiles() map[string]string {
	files := map[string]string{}
	for file, pkg := range map[string]string{
		"mesos.proto": "mesos.v1", "scheduler.proto": "mesos.v1.scheduler", "executor.proto": "mesos.v1.executor",
	} {
		var b strings.Builder
		fmt.Fprintf(&b, "syntax = \"proto2\";\npackage %s;\nimport \"google/protobuf/duration.proto\";\n", pkg)
		if file != "mesos.proto" {
			b.WriteString("import \"mesos.proto\";\n")
		}
		p.declare(&b, pkg, pkg)
		files[file] = b.String()
	}
	return files
}

// declare writes what is declared directly inside scope, a package or message.
func (p protocol) declare(b *strings.Builder, pkg, scope string) {
	children := map[string]bool{}
	for name, m := range p {
		if rest, ok := strings.CutPrefix(name, scope+"."); ok && m.pkg == pkg {
			child, _, _ := strings.Cut(rest, ".")
			children[child] = true
		}
	}
	for _, child := range slices.Sorted(maps.Keys(children)) {
		full := scope + "." + child
		m := p[full]
		if m != nil && m.enum {
			fmt.Fprintf(b, "enum %s {\n", child)
			if m.aliased() {
				b.WriteString("option allow_alias = true;\n")
			}
			for _, f := range m.fields {
				fmt.Fprintf(b, "%s = %d;\n", f.name, f.number)
			}
			b.WriteString("}\n")
			continue
		}
		fmt.Fprintf(b, "message %s {\n", child)
		p.declare(b, pkg, full)
		if m != nil {
			m.declareFields(b)
		}
		b.WriteString("}\n")
	}
}

func (m *protoMessage) aliased() bool {
	seen := map[int32]bool{}
	for _, f := range m.fields {
		if seen[f.number] {
			return true
		}
		seen[f.number] = true
	}
	return false
}

func (m *protoMessage) declareFields(b *strings.Builder) {
	for _, f := range m.fields {
		label := f.label
		switch {
		case label == "map":
			label = ""
		case label == "oneof":
			label = "optional" // the same bytes
		}
		def := ""
		if f.def != "" {
			def = fmt.Sprintf(" [default = %s]", f.def)
			if f.typ == "string" {
				def = fmt.Sprintf(" [default = %q]", f.def)
			}
		}
		fmt.Fprintf(b, "%s %s %s = %d%s;\n", label, f.typ, f.name, f.number, def)
	}
}
