// Files that a command writes when it has run: refused before it runs where that is known, because a run may take an hour.
#pragma once

#include "engine/base/result.h"

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace app {

// An option that names a file to write. Without a name ('') it is wrong use: nothing would be written, in silence.
CLI::Option* add_output_option(CLI::App& command, const char* name, std::string& out, const char* help,
                               const char* type_name);

// Whether each of `paths` can be written, as far as that shows without touching it: an existing file is left as it is, none
// is made. Empty paths stand for options that were not given. Errors: the first that cannot be written, and why (system); two
// of them the same file, one of `inputs`, or by its name a part of a model (input).
engine::Result<void> check_outputs(const std::vector<std::string>& paths, const std::vector<std::string>& inputs = {});

// The same for a recording, whose name ends in .safetensors: it takes the place of no file but another recording. Errors as
// above.
engine::Result<void> check_recording_output(const std::string& path, const std::vector<std::string>& inputs = {});

// Writes the file anew, with what `write` puts into the stream; an ordinary file is replaced when all is written, and stays as
// it was when not. Error: it did not take it all (system).
engine::Result<void> write_output(const std::string& path, const std::function<void(std::ostream&)>& write);

}  // namespace app
