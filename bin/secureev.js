#!/usr/bin/env node
// Starts secureev. Written so that Nodes far too old to run it can still read it and say so in one line.
const version = process.versions.node.split('.').map(Number);

if (version[0] < 22 || (version[0] === 22 && version[1] < 12)) {
  process.stderr.write(
    'secureev: error [NODE_TOO_OLD]: needs Node 22.12 or newer, this is Node ' + process.versions.node + '\n',
  );
  process.exitCode = 5;
} else {
  start();
}

function start() {
  keepCompiledCode();
  silenceExperimentalWarnings();
  void import('../dist/main.js').then((program) => program.start(process.argv.slice(2)));
}

// Not Node's default folder under /tmp: what is there could have been laid there by another user.
function keepCompiledCode() {
  const cache = process.env.XDG_CACHE_HOME || (process.env.HOME && process.env.HOME + '/.cache');
  if (cache) process.getBuiltinModule('node:module').enableCompileCache(cache + '/secureev');
}

// That a primitive of the runtime is new is our concern (every one is checked against another engine), not the user's.
function silenceExperimentalWarnings() {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(warning.name + ': ' + warning.message + '\n');
  });
}
