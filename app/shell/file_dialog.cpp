#include "app/shell/file_dialog.h"

#include "app/shell/surface.h"

#include <portable_file_dialogs.h>

namespace app {

std::string why_no_file_dialog() {
  static const bool available = pfd::settings::available();  // looks for programs: once
  if (!have_display()) return "There is no display for a file dialog. Type the path.";
  if (!available) return "No file dialog is installed: install zenity or kdialog, or type the path.";
  return {};
}

struct FileDialog::Dialog {
  pfd::open_file file{"Open a Mamba-3 model",
                      "",
                      {"Models, recordings and profiles", "*.safetensors *.bin *.json *.profile", "All files", "*"}};
};

FileDialog::FileDialog() = default;
FileDialog::~FileDialog() {
  if (dialog_) dialog_->file.kill();
}

void FileDialog::show() {
  if (!dialog_ && why_no_file_dialog().empty()) dialog_ = std::make_unique<Dialog>();
}

std::vector<std::string> FileDialog::chosen() {
  if (!dialog_ || !dialog_->file.ready(0)) return {};
  std::vector<std::string> files = dialog_->file.result();
  dialog_.reset();
  return files;
}

}  // namespace app
