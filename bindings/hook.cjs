"use strict";

// Loaded by Node before jsii: makes the AWS package lazy, and names the elements of stacks that ask for it.
// Node offers no public way to change a package that jsii unpacks itself.

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

// cdktf calls util.isArray, which newer releases of Node warn about (DEP0044): this is what they say to call.
require("node:util").isArray = Array.isArray;

const { _resolveFilename: resolveFilename, _load: load } = Module;
let cdktf;

Module._resolveFilename = function (request, ...rest) {
  const file = resolveFilename.call(this, request, ...rest);
  if (request === "cdktf") cdktf ??= file;
  return request === "@cdktf/provider-aws" ? lazyEntryPoint(file) : file;
};

// The AWS package has two entry points that export the same names: lib/index.js loads all of its modules,
// lib/lazy-index.js loads each when it is first used. package.json names the first.
function lazyEntryPoint(file) {
  const lazy = path.join(path.dirname(file), "lazy-index.js");
  return fs.existsSync(lazy) ? lazy : file;
}

Module._load = function (request, ...rest) {
  // Only assets are archived, and the archiver takes as long to load as the rest of cdktf.
  if (request === "archiver") return (...options) => load.call(this, request, ...rest)(...options);
  const exported = load.call(this, request, ...rest);
  if (request === cdktf) {
    cdktf = undefined; // once is enough
    nameByPath(exported.TerraformStack.prototype);
  }
  return exported;
};

// A stack asks for names made of construct paths by having an object in its context under this key. Each name is
// recorded there with the paths it stands for. The same rule is in stacks/base.py, for Node without this hook.
const PATHS_BY_NAME = "kakehashi:paths_by_name";

function nameByPath(stack) {
  const { allocateLogicalId } = stack;
  stack.allocateLogicalId = function (element) {
    const pathsByName = this.node.tryGetContext(PATHS_BY_NAME);
    if (pathsByName === undefined) return allocateLogicalId.call(this, element);
    const steps = (element.node ?? element).path.split("/").slice(1);
    const name = steps.filter((step) => step !== "Default").join("_").replace(/[^A-Za-z0-9_-]/gu, "_");
    const paths = (pathsByName[name] ??= []);
    const path = steps.join("/");
    if (!paths.includes(path)) paths.push(path);
    return name;
  };
}
