// Opens models without holding up the window: reading the weights and starting the backend happen on a thread of their
// own, and the finished document replaces its place-holder at the next frame. UI thread only.
#pragma once

#include "app/shell/workspace.h"

#include <functional>
#include <future>
#include <string>
#include <vector>

namespace app {

struct OpenOptions {
  engine::BackendOptions backend;
  engine::LoadOptions load;
  std::uint64_t seed = 0;
  std::uint64_t history_mb = 0;      // 0: the session's default
  std::function<void()> on_publish;  // any thread; wakes the window
  bool recording = false;            // it must be recorded tokens; else they are known by what the file says
  bool preset = false;               // the name is a preset's: random weights of its shape
};

class DocumentOpener {
 public:
  DocumentOpener() = default;
  DocumentOpener(DocumentOpener&&) = default;
  DocumentOpener& operator=(DocumentOpener&& other) noexcept;
  ~DocumentOpener();  // cancels what is still being opened and waits for it

  // Adds a place-holder to the workspace and starts opening; the new document becomes the active one.
  void open(Workspace& workspace, const std::string& name, OpenOptions options);
  // The same for a recorded profile.
  void open_recorded(Workspace& workspace, const std::string& name, std::function<void()> done);
  // Moves what has finished into the workspace. Call once a frame.
  void poll(Workspace& workspace);
  // Whether anything is still being opened.
  bool busy() const { return !opening_.empty(); }

 private:
  void start(Workspace& workspace, const std::string& name, std::shared_ptr<engine::OpenProgress> progress,
             std::function<Document()> make);

  struct Opening {
    std::size_t place = 0;  // index in Workspace::documents
    std::future<Document> result;
    std::shared_ptr<engine::OpenProgress> progress;
  };
  void cancel();

  std::vector<Opening> opening_;
};

}  // namespace app
