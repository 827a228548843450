// What `mambascope profile` does with files: a measurement is saved, a saved one is opened or listed, and either is printed
// and exported the same way.
#pragma once

#include "app/commands/profile_report.h"
#include "engine/base/result.h"

#include <string>

namespace CLI {
class App;
}

namespace app {

struct ProfileFiles {
  std::string save, open;  // a recorded profile to write, to read
  std::string trace, csv;  // exports
  double trace_limit_mib = 64;
  bool list = false;
};

// --save, --open, --list, --trace, --trace-limit, --csv. `measuring`: names of the options that say what to measure, which
// make no sense for a profile that is opened.
void add_profile_files(CLI::App& command, ProfileFiles& files, const std::vector<std::string>& measuring);

// Saves and exports what was measured or opened, as far as each was asked for. Error (system): a file did not take it.
engine::Result<void> keep_profile(const ProfileResult& profile, const ProfileFiles& files);

// Opens the recorded profile that was asked for, keeps it as above and prints it; returns the exit code.
int open_profile(const ProfileFiles& files, ProfileRows rows, bool json);

// A table of the profiles that the program ships with.
int list_profiles(bool json);

// "kind", "layer", "stage".
ProfileRows rows_named(const std::string& name);

}  // namespace app
