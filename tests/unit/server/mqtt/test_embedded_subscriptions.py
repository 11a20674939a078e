from amqtt.session import Session

from server.mqtt.embedded.broker import Subscriptions


def test_who_comes_while_a_message_is_handed_out_does_not_end_it():
    early, late = Session(), Session()
    subscriptions = Subscriptions({"a/+": [(early, 1)], "b/+": [(early, 1)]})
    handed_out = []
    for topic_filter, subscribers in subscriptions.items():
        for subscriber, _qos in subscribers:
            handed_out.append((topic_filter, subscriber))
            subscriptions["b/+"].append((late, 1))
            subscriptions[f"c/{len(handed_out)}"] = [(late, 1)]
    assert handed_out == [("a/+", early), ("b/+", early)]
