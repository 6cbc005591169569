"""scikit-learn's checks of estimators, all of them, of every estimator of the package."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from deepbelief import RBM, DeepBeliefNet
from deepbelief.sklearn import BernoulliRBM


def _estimators():
    return [
        BernoulliRBM(n_components=8, n_iter=5, random_state=0),
        RBM(8, epochs=5, batch_size=10, random_state=0),
        DeepBeliefNet([8, 8], epochs=5, batch_size=10, random_state=0),
    ]


pytestmark = pytest.mark.filterwarnings("ignore")


@parametrize_with_checks(_estimators())
def test_checks(estimator, check):
    check(estimator)
