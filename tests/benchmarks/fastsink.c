/* An SMTP server on loopback that takes every message, counts it, and costs nearly nothing.
 *
 *   fastsink [-d MILLISECONDS] [-c COUNTS] [-l LOG] PORT        (0: any free port; the one that is used is printed)
 *
 * -d  every answer leaves so long after its command came: a round trip, which does not slow a pipeline down
 * -c  a file of two 64-bit numbers, messages and their bytes, that can be read at any time
 * -l  a line for each message: CLOCK_MONOTONIC in seconds, and the recipient
 *
 * SIGTERM ends it; it then prints how many messages it has taken.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 128 * 1024, SAID = 4096, EVENTS = 64, LATER = 1 << 16 };
enum state { IDLE, MAIL, RCPT, DATA };

struct talk {
    int socket, said, length; /* bytes of answers not written yet, and of what was read and not understood yet */
    int is_over, waiting;     /* waiting: answers that are not due yet */
    enum state state;
    char recipient[256], answers[SAID], room[ROOM];
};

static struct { struct talk *talk; const char *words; int64_t due; } later[LATER]; /* first in, first out: all wait */
static unsigned first_later, last_later;                                          /* equally long */
static struct { uint64_t messages, bytes; } private_counts, *counts = &private_counts;
static int64_t delay, heard_at; /* nanoseconds; what came together is answered together */
static int polled;
static FILE *log_file;
static volatile sig_atomic_t is_asked_to_end;

static void must(int is_well, const char *what) {
    if (!is_well) perror(what), exit(1);
}

static int64_t now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

static void hang_up(struct talk *talk) {
    if (talk->socket >= 0) close(talk->socket);
    talk->socket = -1;
    if (!talk->waiting) free(talk); /* else the last of its answers does that */
}

static void flush_answers(struct talk *talk) {
    if (talk->said && send(talk->socket, talk->answers, talk->said, MSG_NOSIGNAL) != talk->said) talk->is_over = 1;
    talk->said = 0;
}

static void say(struct talk *talk, const char *words) {
    int length = strlen(words);
    if (talk->said + length > SAID) flush_answers(talk);
    memcpy(talk->answers + talk->said, words, length);
    talk->said += length;
}

static void answer(struct talk *talk, const char *words) {
    if (!delay) return say(talk, words);
    must(last_later - first_later < LATER, "too many answers are waiting");
    unsigned at = last_later++ % LATER;
    later[at].talk = talk, later[at].words = words, later[at].due = heard_at + delay;
    talk->waiting++;
}

static int is_one_due(void) {
    return first_later != last_later && later[first_later % LATER].due <= now();
}

static void answer_what_is_due(void) {
    while (is_one_due()) {
        struct talk *talk = later[first_later % LATER].talk;
        talk->waiting--;
        if (talk->socket >= 0) say(talk, later[first_later % LATER].words);
        first_later++;
        if (is_one_due() && later[first_later % LATER].talk == talk) continue; /* both in one write */
        if (talk->socket >= 0) flush_answers(talk);
        if (talk->socket < 0 || (talk->is_over && !talk->waiting)) hang_up(talk);
    }
}

static void command(struct talk *talk, const char *line, int length) {
    enum state before = talk->state;
    if (!strncasecmp(line, "EHLO", 4)) {
        talk->state = IDLE;
        answer(talk, "250-fastsink\r\n250-PIPELINING\r\n250-SIZE 20000000\r\n250 8BITMIME\r\n");
    } else if (!strncasecmp(line, "MAIL", 4)) {
        if (before == IDLE) talk->state = MAIL;
        answer(talk, before == IDLE ? "250 2.1.0 ok\r\n" : "503 5.5.1 nested MAIL\r\n");
    } else if (!strncasecmp(line, "RCPT", 4)) {
        if (before != IDLE) talk->state = RCPT;
        const char *from = memchr(line, '<', length), *to = memchr(line, '>', length);
        if (log_file && from && to > from && to - from < (long)sizeof talk->recipient)
            *(char *)mempcpy(talk->recipient, from + 1, to - from - 1) = 0;
        answer(talk, before != IDLE ? "250 2.1.5 ok\r\n" : "503 5.5.1 MAIL first\r\n");
    } else if (!strncasecmp(line, "DATA", 4)) {
        if (before == RCPT) talk->state = DATA;
        answer(talk, before == RCPT ? "354 go ahead\r\n" : "503 5.5.1 RCPT first\r\n");
    } else if (!strncasecmp(line, "QUIT", 4)) {
        talk->is_over = 1;
        answer(talk, "221 2.0.0 bye\r\n");
    } else {
        int is_known = !strncasecmp(line, "HELO", 4) || !strncasecmp(line, "RSET", 4);
        if (is_known) talk->state = IDLE;
        answer(talk, is_known || !strncasecmp(line, "NOOP", 4) ? "250 2.0.0 ok\r\n" : "500 5.5.2 what?\r\n");
    }
}

static void take(struct talk *talk) {
    talk->state = IDLE;
    counts->bytes -= 5; /* the line end before it, the dot and its line end are none of it */
    counts->messages++;
    if (log_file) fprintf(log_file, "%.6f %s\n", now() / 1e9, talk->recipient);
    answer(talk, "250 2.0.0 taken\r\n");
}

/* Whatever is whole: commands by the line, messages by their end, which may have come in pieces. */
static void understand(struct talk *talk) {
    int at = 0;
    while (!talk->is_over) {
        char *from = talk->room + at, *end;
        int left = talk->length - at;
        if (talk->state == DATA) {
            end = memmem(from, left, "\r\n.\r\n", 5);
            int gone = end ? end + 5 - from : left > 4 ? left - 4 : 0; /* the last four may begin the end */
            counts->bytes += gone;
            at += gone;
            if (!end) break;
            take(talk);
        } else {
            if (!(end = memchr(from, '\n', left))) break;
            command(talk, from, end - from);
            at += end + 1 - from;
            if (talk->state == DATA) at -= 2; /* this line end and a dot would be an empty message */
        }
    }
    talk->length -= at;
    memmove(talk->room, talk->room + at, talk->length);
}

static void hear(struct talk *talk) {
    ssize_t more = recv(talk->socket, talk->room + talk->length, ROOM - talk->length, 0);
    if (more < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (more > 0) {
        if (delay) heard_at = now();
        talk->length += more;
        understand(talk);
        flush_answers(talk);
    }
    if (more <= 0 || talk->length == ROOM || (talk->is_over && !talk->waiting)) hang_up(talk);
}

static void watch(int socket, struct talk *talk) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = talk};
    must(epoll_ctl(polled, EPOLL_CTL_ADD, socket, &event) == 0, "epoll_ctl");
}

static void greet(int listener) {
    int one = 1, socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct talk *talk = socket < 0 ? NULL : calloc(1, sizeof *talk);
    if (!talk) return;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    talk->socket = socket;
    heard_at = now();
    watch(socket, talk);
    answer(talk, "220 fastsink ESMTP\r\n");
    flush_answers(talk);
}

static int listen_on(int port) {
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in here = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
    socklen_t size = sizeof here;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    must(bind(listener, (struct sockaddr *)&here, size) == 0 && listen(listener, 1024) == 0, "listen");
    getsockname(listener, (struct sockaddr *)&here, &size);
    printf("%d\n", ntohs(here.sin_port)), fflush(stdout);
    return listener;
}

static void share_counts(const char *path) {
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    must(file >= 0 && ftruncate(file, sizeof *counts) == 0, path);
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    must(counts != MAP_FAILED, path);
}

static void end(int signal) {
    is_asked_to_end = signal;
}

int main(int argc, char **argv) {
    for (int option; (option = getopt(argc, argv, "d:c:l:")) != -1;) {
        if (option == 'd') delay = atof(optarg) * 1e6;
        else if (option == 'c') share_counts(optarg);
        else if (option == 'l') must((log_file = fopen(optarg, "w")) != NULL, optarg);
        else return 2;
    }
    if (optind != argc - 1) return fprintf(stderr, "usage: fastsink [-d ms] [-c counts] [-l log] port\n"), 2;
    sigset_t ending, none;
    sigemptyset(&none), sigemptyset(&ending), sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, NULL); /* it comes only while we wait */
    signal(SIGTERM, end);
    polled = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(atoi(argv[optind]));
    watch(listener, NULL);
    while (!is_asked_to_end) {
        int64_t rest = first_later == last_later ? 0 : later[first_later % LATER].due - now();
        struct timespec patience = {rest > 0 ? rest / 1000000000 : 0, rest > 0 ? rest % 1000000000 : 0};
        struct epoll_event events[EVENTS];
        int happened = epoll_pwait2(polled, events, EVENTS, first_later == last_later ? NULL : &patience, &none);
        for (int i = 0; i < happened; i++) {
            if (events[i].data.ptr) hear(events[i].data.ptr);
            else greet(listener);
        }
        answer_what_is_due();
    }
    printf("%lu messages\n", (unsigned long)counts->messages);
}
