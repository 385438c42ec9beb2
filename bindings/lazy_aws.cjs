"use strict";

// The AWS package ships two entry points that export the same names: lib/index.js loads all of its modules,
// lib/lazy-index.js each when it is first used. package.json names the first; this leads to the second.
// Node offers no public way to do so for a package that jsii unpacks itself.

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

const resolveFilename = Module._resolveFilename;

Module._resolveFilename = function (request, ...rest) {
  const eager = resolveFilename.call(this, request, ...rest);
  if (request !== "@cdktf/provider-aws") return eager;
  const lazy = path.join(path.dirname(eager), "lazy-index.js");
  return fs.existsSync(lazy) ? lazy : eager;
};
