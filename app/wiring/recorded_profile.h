// Profiles as files: what a measurement found is kept, opened again by its path or by the name of one that the program
// ships with, and handed to views that expect live times. Any thread.
#pragma once

#include "app/wiring/profile_result.h"
#include "app/wiring/rank_family.h"
#include "app/wiring/timing_store.h"
#include "profiler/recording/recorded_profile.h"

#include <memory>
#include <string>
#include <vector>

namespace app {

// The ending of such files.
inline constexpr const char* recording_ending = ".profile";

// Names of the profiles in assets/profiles, sorted.
std::vector<std::string> shipped_recordings();

// What a file holds: a profile, or a family of them.
struct Recording {
  ProfileResult profile;             // of a family: its first
  std::optional<RankFamily> family;  // none: one profile
};
// Opens a file, or a shipped profile by its name. Errors: input (exit code 2), for whatever is wrong with it.
engine::Result<Recording> open_any_recording(const std::string& name_or_path);
// The same where one profile is wanted: of a family, NAME@RANK. Error (input) too: a family without a rank behind it.
engine::Result<ProfileResult> open_recording(const std::string& name_or_path);
// The same from bytes; `where` names them in errors.
engine::Result<ProfileResult> read_recording(std::span<const std::byte> bytes, const std::string& where);

// The bytes of a file that holds the profile. Error (input): nothing was measured, or more than a file holds.
engine::Result<std::string> recording_bytes(const ProfileResult& profile);

// A profile as files have it, and back. Error (input): a shape or a stage that this program does not know.
profiler::RecordedProfile recorded_form(const ProfileResult& profile);
engine::Result<ProfileResult> program_form(profiler::RecordedProfile recorded);

// Names of the kernels in these tokens, by the numbers that their pieces carry.
std::vector<std::string> kernel_names(const TimingStore& store,
                                      const std::vector<std::shared_ptr<const profiler::TokenTimes>>& tokens);
// By stage of the plan, the name of its longest piece.
std::vector<std::string> kernels_by_stage(const ProfileResult& profile);

// The times of a profile for whoever takes them from a store; nothing is added to it.
std::unique_ptr<TimingStore> recorded_timings(std::shared_ptr<const ProfileResult> profile);

// Now, in UTC, as recordings write it.
std::string utc_now();

}  // namespace app
