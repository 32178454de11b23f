package sdk

// Image is the message mesos.v1.Image.
type Image struct {
	Type   ImageType    `wire:"1,type,required"`
	Appc   *AppcImage   `wire:"2,appc"`
	Docker *DockerImage `wire:"3,docker"`
	Cached *bool        `wire:"4,cached,default=true"`
}

// ImageType is Mesos's Image.Type enumeration; the empty value means absent.
type ImageType string

// The values of ImageType, by their names on the wire.
const (
	ImageAppc   ImageType = "APPC"
	ImageDocker ImageType = "DOCKER"
)

// Enum lists the names of ImageType with their protobuf numbers.
func (ImageType) Enum() []EnumValue {
	return []EnumValue{
		{"APPC", 1},
		{"DOCKER", 2},
	}
}

// AppcImage is the message mesos.v1.Image.Appc.
type AppcImage struct {
	Name   string  `wire:"1,name,required"`
	ID     string  `wire:"2,id"`
	Labels *Labels `wire:"3,labels"`
}

// DockerImage is the message mesos.v1.Image.Docker.
type DockerImage struct {
	Name       string      `wire:"1,name,required"`
	Credential *Credential `wire:"2,credential"`
	Config     *Secret     `wire:"3,config"`
}

// Credential is the message mesos.v1.Credential.
type Credential struct {
	Principal string `wire:"1,principal,required"`
	Secret    string `wire:"2,secret"`
}

// Secret is the message mesos.v1.Secret.
type Secret struct {
	Type      SecretType  `wire:"1,type"`
	Reference *SecretRef  `wire:"2,reference"`
	Value     *SecretData `wire:"3,value"`
}

// SecretType is Mesos's Secret.Type enumeration; the empty value means absent.
type SecretType string

// The values of SecretType, by their names on the wire.
const (
	SecretUnknown   SecretType = "UNKNOWN"
	SecretReference SecretType = "REFERENCE"
	SecretValue     SecretType = "VALUE"
)

// Enum lists the names of SecretType with their protobuf numbers.
func (SecretType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"REFERENCE", 1},
		{"VALUE", 2},
	}
}

// SecretRef is the message mesos.v1.Secret.Reference.
type SecretRef struct {
	Name string `wire:"1,name,required"`
	Key  string `wire:"2,key"`
}

// SecretData is the message mesos.v1.Secret.Value.
type SecretData struct {
	Data []byte `wire:"1,data,required"`
}
