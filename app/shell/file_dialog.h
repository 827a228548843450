// The system's file dialog, in a process of its own, so that the window goes on drawing. UI thread only.
#pragma once

#include "app/shell/workspace.h"

#include <memory>
#include <string>
#include <vector>

namespace app {

// Why there is none: no program that shows one is installed, or there is no display. Empty: there is one.
std::string why_no_file_dialog();

class FileDialog {
 public:
  FileDialog();
  ~FileDialog();
  FileDialog(const FileDialog&) = delete;
  FileDialog& operator=(const FileDialog&) = delete;

  // Shows it, unless it is shown already.
  void show();
  // What was chosen since the last call; empty: nothing yet, or nothing at all.
  std::vector<std::string> chosen();
  bool shown() const { return dialog_ != nullptr; }

 private:
  struct Dialog;
  std::unique_ptr<Dialog> dialog_;
};

}  // namespace app
