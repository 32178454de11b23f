// Package event is the vocabulary of marathonish's event stream: the types that
// Marathon 1.10 sends, each with the keys that its clients read, and their JSON.
//
// It owns shapes only: when something happened and to whom it is told is decided
// elsewhere, so it knows neither clock nor network. Its values are plain data;
// what New returns may be shared and must not be changed.
package event
