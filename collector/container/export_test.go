package container

// What the tests outside this package look at.
var (
	Params = params
	Whole  = whole
)
