// The OTA agent as an object: the state machine, the job in hand and the file being received.
//
// Order of use:
//   Agent agent(environment);            the environment may be changed until init()
//   agent.init(buffers, thing_name);     Stopped -> Init
//   loop: agent.process_next_event();    or agent.run() in a task of its own
//   agent.signal(...)                    from anywhere: Start, received messages, Suspend, Resume, Shutdown
//
// It allocates nothing: all memory is in the object, or lent by the application in init(). All of it belongs
// to the task that processes events, except signal(), state(), statistics(), on_timer() and the requests that
// only queue an event. set_image_state(), activate_new_image() and resume() act at once, as AWS's do: call
// them from the callback, or while no message is in work.
//
// What can go wrong: a failing interface is asked again when the request timer runs out; too many requests
// without an answer abort the job and stop the agent. A job that cannot be done is reported FAILED with a
// reason, and the last word on a job is kept until the cloud knows it. Whatever is waited for, a timer guards
// it. Deviations from AWS's library are listed in docs/agent-compatibility.md.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "agent/include/ota.h"
#include "agent/src/block_window.h"
#include "agent/src/environment.h"
#include "agent/src/job_document.h"
#include "agent/src/job_status.h"
#include "agent/src/settings.h"
#include "agent/src/stream_message.h"
#include "agent/src/topics.h"
#include "agent/src/transition_table.h"

namespace ota {

/// For the buffers that the application does not lend.
struct OwnMemory {
  static constexpr std::size_t kMaxPath = 128;

  std::uint8_t file_path[kMaxPath];
  std::uint8_t certificate_path[kMaxPath];
  std::uint8_t stream_name[kMaxStreamName + 1];
  std::uint8_t block[OTA_FILE_BLOCK_SIZE];
  std::uint8_t bitmap[OTA_MAX_BLOCK_BITMAP_SIZE];
  std::uint8_t url[OTA_REQUEST_URL_MAX_SIZE + 1];
  std::uint8_t auth_scheme[32];
};

class Agent {
 public:
  explicit Agent(Environment& environment) : environment_(environment) {}
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Takes the settings, each brought into its range.
  void configure(const Settings& settings);

  /// Contracts of these as in ota.h.
  [[nodiscard]] OtaErr_t init(const OtaAppBuffer_t& buffers, std::string_view thing_name);
  OtaState_t process_next_event();
  void run();
  [[nodiscard]] bool signal(const OtaEventMsg_t& event);
  [[nodiscard]] OtaErr_t suspend();
  [[nodiscard]] OtaErr_t resume();
  OtaState_t shutdown(std::uint32_t rounds, bool unsubscribe);
  [[nodiscard]] OtaErr_t activate_new_image();
  [[nodiscard]] OtaErr_t set_image_state(OtaImageState_t state);
  [[nodiscard]] OtaImageState_t image_state() const { return image_state_.load(std::memory_order_relaxed); }
  [[nodiscard]] OtaState_t state() const { return state_.load(std::memory_order_acquire); }
  [[nodiscard]] OtaAgentStatistics_t statistics() const;

  /// To be called when a timer of the environment runs out.
  void on_timer(OtaTimerId_t timer);

 private:
  static constexpr std::size_t kMaxRanges = 8;
  static constexpr std::size_t kMaxProtocols = 20;

  enum class Ingest { kFileComplete, kFailed, kAccepted, kIgnored };

  enum class Exchange : std::uint8_t { kSubscribe, kUnsubscribe, kPublish };
  /// Of the statistics: counted by the tasks that signal as well as by the one that runs the agent.
  enum class Packet : std::uint8_t { kReceived, kQueued, kProcessed, kDropped };

  /// The state as the agent's own task sees it, which alone changes it.
  [[nodiscard]] OtaState_t current() const { return state_.load(std::memory_order_relaxed); }
  void set_state(OtaState_t state) { state_.store(state, std::memory_order_release); }
  void set_own_image_state(OtaImageState_t state) { image_state_.store(state, std::memory_order_relaxed); }

  // agent.cc: life, dispatch, job and image state.
  void note(Note what);
  void reset_device();
  void give_back(OtaEventData_t* data);
  void stop_request_timer();
  [[nodiscard]] bool is_pending_commit();
  void count(Packet packet);
  void clear_statistics();
  [[nodiscard]] bool prepare_event_queue();
  void lend_buffers(const OtaAppBuffer_t& buffers);
  void dispatch(const OtaEventMsg_t& event);
  void ignore_event(const OtaEventMsg_t& event);
  [[nodiscard]] OtaErr_t handle(Handler handler, const OtaEventMsg_t& event);
  [[nodiscard]] bool signal_event(OtaEvent_t event);
  void signal_or_retry(OtaEvent_t event);
  void start_request_timer();
  [[nodiscard]] OtaErr_t retry_later(OtaErr_t error);
  void guard_self_test();
  [[nodiscard]] OtaErr_t start();
  [[nodiscard]] OtaErr_t on_suspend();
  [[nodiscard]] OtaErr_t user_abort();
  [[nodiscard]] OtaErr_t stop();
  OtaErr_t set_image_state(OtaImageState_t state, std::uint32_t reason);
  [[nodiscard]] OtaErr_t report_image_state(OtaImageState_t state, std::uint32_t reason);
  [[nodiscard]] bool exchange(Exchange what, Topic topic, std::string_view payload, std::uint8_t qos);
  [[nodiscard]] OtaErr_t report(Report report, std::uint32_t first, std::uint32_t second);
  OtaErr_t report_end(Report report, std::uint32_t first, std::uint32_t second);
  OtaErr_t say_last_words();
  void tell_finished(OtaJobEvent_t event);
  [[nodiscard]] bool has_job() const { return job_id_[0] != 0; }
  [[nodiscard]] const char* job_id() const;
  [[nodiscard]] const char* thing_name() const { return thing_name_.data(); }
  void name_job(std::string_view id);
  void forget_job() { job_id_[0] = 0; }
  [[nodiscard]] OtaErr_t close_transfer();
  void drop_file();
  void abandon_job();
  [[nodiscard]] OtaJobDocument_t describe_job(const std::uint8_t* id, std::string_view text) const;

  // agent_job.cc: asking for a job, and what a job document leads to.
  [[nodiscard]] OtaErr_t request_job();
  void renew_url();
  [[nodiscard]] bool is_stale_answer(const JobDocument& job) const;
  [[nodiscard]] OtaErr_t process_job(OtaEventData_t* data);
  [[nodiscard]] OtaErr_t handle_job(JobDocumentStatus status, const JobDocument& job, std::string_view text);
  [[nodiscard]] JobDocumentStatus read_job(std::string_view text, JobDocument& out);
  [[nodiscard]] OtaErr_t fall_back();
  [[nodiscard]] OtaErr_t no_job();
  [[nodiscard]] OtaErr_t offer_custom_job(std::string_view text);
  OtaErr_t report_custom_job(const OtaJobDocument_t& answer);
  [[nodiscard]] OtaErr_t refuse_job(OtaJobParseErr_t error);
  [[nodiscard]] OtaErr_t refuse_too_large();
  [[nodiscard]] bool is_about_last_job(const JobDocument& job) const;
  [[nodiscard]] OtaErr_t answer_again();
  [[nodiscard]] OtaErr_t take_job(const JobDocument& job, std::string_view text);
  [[nodiscard]] OtaErr_t continue_job(const JobDocument& job);
  [[nodiscard]] OtaErr_t adopt(const JobDocument& job);
  [[nodiscard]] std::uint32_t choose_protocol(const JobDocument& job) const;
  [[nodiscard]] OtaErr_t begin_self_test(const JobDocument& job);
  [[nodiscard]] OtaErr_t check_version(const JobDocument& job) const;
  [[nodiscard]] bool is_committed_job(const JobDocument& job);
  [[nodiscard]] OtaErr_t report_commit_again();
  [[nodiscard]] OtaErr_t fail_self_test(OtaErr_t reason);
  [[nodiscard]] OtaErr_t in_self_test();
  [[nodiscard]] OtaErr_t begin_download(std::string_view text);
  [[nodiscard]] OtaErr_t job_notification(OtaEventData_t* data);

  // agent_transfer.cc: the file.
  [[nodiscard]] bool want_file();
  [[nodiscard]] OtaErr_t init_file();
  [[nodiscard]] OtaErr_t request_data(OtaEvent_t event);
  [[nodiscard]] OtaErr_t give_up_transfer();
  [[nodiscard]] OtaErr_t process_data(OtaEventData_t* data);
  [[nodiscard]] Ingest store_block(const Block& block, OtaPalStatus_t& close_result);
  [[nodiscard]] bool is_block_expected() const;
  [[nodiscard]] bool take_block(std::span<std::uint8_t> message, Block& out);
  void after_block();
  [[nodiscard]] OtaErr_t finish_file(Ingest result, OtaPalStatus_t close_result);
  [[nodiscard]] OtaErr_t ask_anew();
  [[nodiscard]] std::uint32_t total_blocks() const;
  [[nodiscard]] std::uint32_t size_of_block(std::uint32_t index) const;
  [[nodiscard]] bool is_over_http() const { return protocol_ == OTA_DATA_OVER_HTTP; }

  // agent_stream.cc: its blocks over MQTT.
  [[nodiscard]] bool open_stream();
  bool close_stream();
  [[nodiscard]] bool request_stream_blocks();
  [[nodiscard]] bool publish_json_request(const BlockWindow::Request& request);
  [[nodiscard]] bool publish_cbor_request(const BlockWindow::Request& request);
  [[nodiscard]] bool decode_stream_block(std::span<std::uint8_t> message, Block& out);

  // agent_http.cc: its blocks over HTTP.
  [[nodiscard]] bool open_http();
  bool close_http();
  [[nodiscard]] OtaErr_t reopen_http();
  [[nodiscard]] bool request_ranges();
  void take_range_block(std::span<std::uint8_t> body, Block& out);

  Environment& environment_;
  Settings settings_;
  std::atomic<OtaState_t> state_{OtaAgentStateStopped};
  std::atomic<OtaImageState_t> image_state_{OtaImageStateUnknown};
  OtaState_t next_state_;                                ///< a handler's answer that overrides the table's
  std::array<std::atomic<std::uint32_t>, 4> packets_{};  ///< by Packet
  bool is_event_queue_ready_ = false;
  std::atomic<bool> unsubscribe_at_stop_{false};

  // The last word on the job that was in hand last, kept until the cloud knows it. Of a verified file, until
  // another job comes: the application may activate it later.
  std::array<std::uint8_t, OTA_JOB_ID_MAX_SIZE> last_job_id_;
  Report last_words_;
  std::uint32_t last_numbers_[2];
  bool has_last_words_ = false;
  bool are_last_words_said_;

  // Requests for a job. Set by init().
  std::uint32_t request_number_;    ///< of the next one
  std::uint32_t first_unanswered_;  ///< answers to earlier requests are stale
  bool is_answer_awaited_;
  std::uint32_t momentum_;  ///< requests of any kind without progress

  // The transfer. Set when a job is taken and its file opened.
  std::uint32_t protocol_;  ///< OTA_DATA_OVER_MQTT, OTA_DATA_OVER_HTTP
  BlockWindow window_;
  bool is_request_signalled_;       ///< a RequestFileBlock is in the queue
  std::uint32_t requests_to_skip_;  ///< of those in the queue, from before the client was opened anew
  bool is_subscribed_to_stream_ = false;
  bool is_http_open_ = false;
  std::uint32_t url_renewals_;                           ///< since the last block
  std::array<BlockWindow::Request, kMaxRanges> ranges_;  ///< asked for and not answered, in order
  std::size_t range_count_ = 0;

  OtaFileContext_t file_;
  Sig_t signature_;
  std::array<char, otaconfigMAX_THINGNAME_LEN + 1> thing_name_;
  std::array<std::uint8_t, OTA_JOB_ID_MAX_SIZE> job_id_{};

  std::array<std::uint8_t, kMaxProtocols> protocols_;  ///< the job document's list, for the PAL to read
  OwnMemory own_;
};

}  // namespace ota
