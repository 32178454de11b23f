package registry

import (
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// EncodeCommand writes a command as the replicated log holds it. Version 0 is
// written as CommandVersion.
func EncodeCommand(c Command) ([]byte, error) {
	if c.Version == 0 {
		c.Version = CommandVersion
	}
	return wire.Marshal(wire.Msgpack, &c)
}

// DecodeCommand reads what EncodeCommand wrote. A newer version than this code
// knows is refused by name (CodeUnsupported), before anything else of it is read.
func DecodeCommand(data []byte) (Command, error) {
	if err := refuseNewer(data, CommandVersion, "registry command"); err != nil {
		return Command{}, err
	}
	var c Command
	if err := wire.Unmarshal(wire.Msgpack, data, &c); err != nil {
		return Command{}, err
	}
	return c, nil
}

func refuseNewer(data []byte, known uint32, what string) error {
	var head struct {
		Version uint32 `wire:"1,version,required"`
	}
	if err := wire.Unmarshal(wire.Msgpack, data, &head); err != nil {
		return err
	}
	if head.Version == 0 {
		return sdk.Errorf(sdk.CodeInvalid, "version", "%s without a version", what)
	}
	if head.Version > known {
		return sdk.Errorf(sdk.CodeUnsupported, "version", "%s of version %d, this master knows up to %d: upgrade it", what, head.Version, known)
	}
	return nil
}
